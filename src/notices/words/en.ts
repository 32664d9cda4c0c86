// English words of the notices.
import type { Amount, EndedState, Words } from './words';

const one = new Intl.PluralRules('en');
const jobs = ({ n, count }: Amount): string => `${count} ${one.select(n) === 'one' ? 'job' : 'jobs'}`;
const notices = ({ n, count }: Amount): string => `${count} ${one.select(n) === 'one' ? 'notice' : 'notices'}`;
const none: Amount = { n: 0, count: '0' };

const ENDED: Record<EndedState, string> = {
  succeeded: 'succeeded',
  completed_with_errors: 'completed with errors',
  failed: 'failed',
  canceled: 'was canceled',
  rejected: 'was rejected',
  withdrawn: 'was withdrawn',
  expired: 'expired before it was approved',
};
const COUNTED: Record<EndedState, string> = {
  succeeded: 'succeeded',
  completed_with_errors: 'completed with errors',
  failed: 'failed',
  canceled: 'canceled',
  rejected: 'rejected',
  withdrawn: 'withdrawn',
  expired: 'expired',
};

export const en: Words = {
  hello: (name) => (name ? `Hello ${name},` : 'Hello,'),
  jobEnded: {
    subject: (title, state) => `${title} ${ENDED[state]}`,
    yours: (title, state) => `your job "${title}" ${ENDED[state]}.`,
    theirs: (owner, title, state) => `the job "${title}" of ${owner} ${ENDED[state]}.`,
    rows: ({ total, good, failed, skipped }) =>
      `Rows: ${total.count} in all, ${good.count} good, ${failed.count} failed, ${skipped.count} skipped.`,
    notDealtWith: ({ n, count }) => `${count} ${one.select(n) === 'one' ? 'was' : 'were'} not dealt with.`,
    causes: 'Most frequent causes:',
    started: 'Started:',
    finished: 'Finished:',
    took: (duration) => `(took ${duration})`,
    shortWhile: 'less than a second',
    run: 'Run:',
    link: 'Details, log and error file',
  },
  digest: {
    subject: (amount) => `${jobs(amount)} ended`,
    intro: (amount) => `${jobs(amount)} ${one.select(amount.n) === 'one' ? 'has' : 'have'} ended:`,
    state: ({ count }, state) => `${count} ${COUNTED[state]}`,
    failedRows: ({ n, count }) => `${count} failed ${one.select(n) === 'one' ? 'row' : 'rows'}`,
    more: ({ n, count }) => `and ${count} more ${one.select(n) === 'one' ? 'job' : 'jobs'}`,
    link: 'All jobs',
    why: 'These notices were gathered because you asked for a digest, or because many jobs ended at once.',
  },
  approvalWanted: {
    subject: (title) => `Approval wanted: ${title}`,
    asks: (requester, title) =>
      `${requester} asks for your approval of "${title}". Nothing of it starts before it is approved.`,
    quorum: ({ count }) => `${count} different people have to approve it.`,
    kind: 'Kind:',
    rows: 'Rows:',
    run: 'Run:',
    hash: 'Request hash:',
    expires: 'Expires:',
    link: 'Look at it and decide',
    personal: 'The link is yours alone: whoever has it decides in your name. Opening it decides nothing.',
  },
  alert: {
    title: {
      'no-worker': 'No worker is connected',
      'queue-stalled': 'Waiting jobs are not worked on',
      'mail-failing': 'Mail is not delivered',
      'retention-late': 'Retention has not run',
    },
    text: {
      'no-worker': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `No worker process is connected, and ${jobs(waiting)} ${one.select(waiting.n) === 'one' ? 'waits' : 'wait'}, the oldest for ${oldestWaitSeconds}. Nothing is lost: the work begins when a worker starts (npx gantry worker).`,
      'queue-stalled': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `Workers are connected, but ${jobs(waiting)} ${one.select(waiting.n) === 'one' ? 'waits' : 'wait'}, the oldest for ${oldestWaitSeconds}, and nothing is being worked on. Nothing is lost. Look at the workers' logs and at the queue; a restart of the workers is safe.`,
      'mail-failing': ({ undelivered = none, refused = none }) =>
        `${notices(undelivered)} could not be delivered so far, ${notices(refused)} ${one.select(refused.n) === 'one' ? 'was' : 'were'} refused for good. What is undelivered is tried again for 72 hours. Look at SMTP_URL, MAIL_FROM and the mail server.`,
      'retention-late': ({ owedSince = '' }) =>
        `Retention should have run at ${owedSince} and has not. Jobs whose time is over are not shown, but their rows still take room. Look at the workers' logs.`,
    },
    subject: (title) => `Alert: ${title}`,
    recoveredSubject: (title) => `Over: ${title}`,
    recovered: (title) => `This is over: ${title}.`,
    since: 'Since:',
    until: 'Until:',
    link: 'Alerts',
    why: 'You get this as a superadmin; your profile can switch it off.',
  },
};
