// Korean words of the notices. Korean has one plural form; particles are chosen so that they fit any title.
import type { Amount, EndedState, Words } from './words';

const none: Amount = { n: 0, count: '0' };

const ENDED: Record<EndedState, string> = {
  succeeded: '성공했습니다',
  completed_with_errors: '오류가 있는 상태로 완료되었습니다',
  failed: '실패했습니다',
  canceled: '취소되었습니다',
  rejected: '반려되었습니다',
  withdrawn: '철회되었습니다',
  expired: '승인되기 전에 만료되었습니다',
};
const COUNTED: Record<EndedState, string> = {
  succeeded: '성공',
  completed_with_errors: '오류와 함께 완료',
  failed: '실패',
  canceled: '취소',
  rejected: '반려',
  withdrawn: '철회',
  expired: '만료',
};

export const ko: Words = {
  hello: (name) => (name ? `${name} 님, 안녕하세요.` : '안녕하세요.'),
  jobEnded: {
    subject: (title, state) => `‘${title}’ 작업이 ${ENDED[state]}`,
    yours: (title, state) => `회원님의 ‘${title}’ 작업이 ${ENDED[state]}.`,
    theirs: (owner, title, state) => `${owner} 님의 ‘${title}’ 작업이 ${ENDED[state]}.`,
    rows: ({ total, good, failed, skipped }) =>
      `행: 전체 ${total.count}개, 성공 ${good.count}개, 실패 ${failed.count}개, 건너뜀 ${skipped.count}개.`,
    notDealtWith: ({ count }) => `${count}개는 처리되지 않았습니다.`,
    causes: '가장 많은 원인:',
    started: '시작:',
    finished: '종료:',
    took: (duration) => `(소요 시간: ${duration})`,
    shortWhile: '1초 미만',
    run: '실행 회차:',
    link: '상세 정보, 로그 및 오류 파일',
  },
  digest: {
    subject: ({ count }) => `작업 ${count}개가 종료되었습니다`,
    intro: ({ count }) => `작업 ${count}개가 종료되었습니다:`,
    state: ({ count }, state) => `${COUNTED[state]} ${count}개`,
    failedRows: ({ count }) => `실패한 행 ${count}개`,
    more: ({ count }) => `그 외 작업 ${count}개`,
    link: '모든 작업',
    why: '모아 보기를 선택하셨거나 많은 작업이 한꺼번에 종료되어 알림을 모아서 보내 드립니다.',
  },
  approvalWanted: {
    subject: (title) => `승인 요청: ${title}`,
    asks: (requester, title) =>
      `${requester} 님이 "${title}" 작업의 승인을 요청했습니다. 승인되기 전에는 아무것도 시작되지 않습니다.`,
    quorum: ({ count }) => `서로 다른 ${count}명의 승인이 필요합니다.`,
    kind: '종류:',
    rows: '행:',
    run: '실행:',
    hash: '요청 해시:',
    expires: '만료:',
    link: '확인하고 결정하기',
    personal:
      '이 링크는 본인 전용입니다. 링크를 가진 사람은 귀하의 이름으로 결정할 수 있습니다. 링크를 여는 것만으로는 아무것도 결정되지 않습니다.',
  },
  alert: {
    title: {
      'no-worker': '연결된 작업 프로세스가 없습니다',
      'queue-stalled': '대기 중인 작업이 처리되지 않고 있습니다',
      'mail-failing': '메일이 전달되지 않고 있습니다',
      'retention-late': '보존 정리가 실행되지 않았습니다',
    },
    text: {
      'no-worker': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `연결된 작업 프로세스가 없고 작업 ${waiting.count}개가 대기 중이며, 가장 오래된 작업은 ${oldestWaitSeconds} 동안 기다렸습니다. 잃어버린 것은 없습니다. 작업 프로세스가 시작되면(npx gantry worker) 처리가 시작됩니다.`,
      'queue-stalled': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `작업 프로세스는 연결되어 있지만 작업 ${waiting.count}개가 대기 중이고, 가장 오래된 작업은 ${oldestWaitSeconds} 동안 기다렸으며 아무것도 처리되지 않고 있습니다. 잃어버린 것은 없습니다. 작업 프로세스의 로그와 대기열을 확인하세요. 작업 프로세스를 다시 시작해도 안전합니다.`,
      'mail-failing': ({ undelivered = none, refused = none }) =>
        `알림 ${undelivered.count}개가 아직 전달되지 않았고, ${refused.count}개는 영구적으로 거부되었습니다. 전달되지 않은 알림은 72시간 동안 다시 시도합니다. SMTP_URL, MAIL_FROM 및 메일 서버를 확인하세요.`,
      'retention-late': ({ owedSince = '' }) =>
        `보존 정리가 ${owedSince}에 실행되어야 했지만 실행되지 않았습니다. 기한이 지난 작업은 표시되지 않지만 저장 공간을 계속 차지합니다. 작업 프로세스의 로그를 확인하세요.`,
    },
    subject: (title) => `경고: ${title}`,
    recoveredSubject: (title) => `해결됨: ${title}`,
    recovered: (title) => `다음 문제가 해결되었습니다: ${title}.`,
    since: '시작:',
    until: '종료:',
    link: '경고 목록',
    why: '최고 관리자에게 보내는 메일이며, 프로필에서 끌 수 있습니다.',
  },
};
