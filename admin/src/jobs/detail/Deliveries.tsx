// What became of the job's notices: to whom, sent when, and why one has not arrived.
import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconHourglassEmpty, IconProgress } from '@tabler/icons-react';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { Job, Notice } from '../../api/types';
import { TimeText } from '../../format/TimeText';
import { ErrorNote } from '../../shell/ErrorNote';
import { LookBadge } from '../../shell/LookBadge';
import { Section } from './Section';

const LOOKS: Record<Notice['state'], { word: string; color: string; Icon: typeof IconCircleX }> = {
  due: { word: 'Waits to be sent', color: 'gray', Icon: IconHourglassEmpty },
  sending: { word: 'Being sent', color: 'blue', Icon: IconProgress },
  sent: { word: 'Sent', color: 'teal', Icon: IconCircleCheck },
  failed: { word: 'Not delivered', color: 'red', Icon: IconCircleX },
  unknown: { word: 'Perhaps delivered', color: 'orange', Icon: IconAlertTriangle },
};

/** What holds a notice up, and whether anything is to be done about it. */
function noteOf({ state, held, digestId, failure, lastError, nextAttemptAt }: Notice): string {
  if (held) return 'Kept for the next digest.';
  const told = digestId === null ? '' : 'Told of in a digest. ';
  if (state === 'unknown') return `${told}The link to the mail server was lost when it may have taken the mail.`;
  if (failure === null) return told;
  const why = `${told}${lastError ?? 'The mail server gave no reason.'}`;
  if (failure === 'suppressed') return `${why} Nothing is sent to this address any more; a superadmin can lift that.`;
  if (failure === 'permanent') return `${why} The mail server refused it for good.`;
  return nextAttemptAt === null ? why : `${why} It is tried again by itself.`;
}

const LOOK_MS = 3000;
const isOnItsWay = ({ state, held }: Notice) => !held && (state === 'due' || state === 'sending');

export function Deliveries({ job }: { job: Job }) {
  const notices = useQuery({
    queryKey: keys.jobAside(job.id, 'notices', job.state, job.run),
    queryFn: ({ signal }) => jobClient.notices(job.id, {}, signal),
    placeholderData: (previous) => previous,
    refetchInterval: ({ state }) => (state.data?.items.some(isOnItsWay) ? LOOK_MS : false),
  });
  if (notices.isError) return <ErrorNote error={notices.error} onRetry={() => void notices.refetch()} />;
  const items = notices.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section title="Notices">
      <Table.ScrollContainer minWidth={520}>
        <Table fz="xs" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              {['State', 'To', 'About', 'Sent', 'Tries', 'What happened'].map((name) => (
                <Table.Th key={name}>{name}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((notice) => (
              <Table.Tr key={notice.id}>
                <Table.Td>
                  <LookBadge {...LOOKS[notice.state]} />
                </Table.Td>
                <Table.Td>{notice.recipient}</Table.Td>
                <Table.Td>{aboutOf(notice)}</Table.Td>
                <Table.Td>
                  <TimeText at={notice.sentAt} />
                </Table.Td>
                <Table.Td>{notice.attempts}</Table.Td>
                <Table.Td>{noteOf(notice) || '–'}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {notices.data?.nextCursor && (
        <Text size="xs" c="dimmed">
          The first {items.length} are shown; the API has the rest.
        </Text>
      )}
    </Section>
  );
}

/** `job-ended` -> Job ended */
function aboutOf({ kind, run }: Notice): string {
  const words = kind.replaceAll('-', ' ');
  const about = words.charAt(0).toUpperCase() + words.slice(1);
  return run !== null && run > 1 ? `${about}, run ${run}` : about;
}
