// What differs from the job that this one was made from.
import { Anchor, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { isStatus } from '../../api/errorText';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { Difference } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { ChangedValue } from '../../shell/ChangedValue';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { Section } from './Section';

const SETTINGS: Record<string, string> = {
  title: 'Name',
  'notify.email': 'E-mail at the end',
  'notify.to': 'E-mail to',
  priority: 'Priority',
  runAt: 'Not before',
  trial: 'Trial rows',
  'limits.maxFailed': 'Limit of failed rows',
  'limits.maxFailedPercent': 'Limit of failed rows, in percent',
  'limits.then': 'At the limit',
};

interface Change {
  name: string;
  before: unknown;
  after: unknown;
}

/** Null is no value at all here. */
const plain = (value: unknown): unknown =>
  value === null ? undefined : value === true ? 'yes' : value === false ? 'no' : value;

function changesOf({ params, rows, settings }: Difference, number: (value: number) => string): Change[] {
  const rowsOf = (total: number | null) => (total === null ? undefined : `${number(total)} rows`);
  const changed: Change[] = params.map(({ path, before, after }) => ({
    name: path === '' ? 'Parameters' : `Parameter ${path}`,
    before,
    after,
  }));
  if (!rows.isSame) {
    const isOther = rows.before.total === rows.after.total ? ', other ones' : '';
    changed.push({ name: 'Rows', before: rowsOf(rows.before.total), after: `${rowsOf(rows.after.total)}${isOther}` });
  }
  for (const { path, before, after } of settings) {
    changed.push({ name: SETTINGS[path] ?? path, before: plain(before), after: plain(after) });
  }
  return changed;
}

export function DerivedFrom({ jobId, origin }: { jobId: string; origin: string }) {
  const { number } = useFormats();
  const difference = useQuery({
    queryKey: keys.jobAside(jobId, 'difference'),
    queryFn: ({ signal }) => jobClient.difference(jobId, signal),
    staleTime: 60_000,
  });
  const isGone = isStatus(difference.error, 404);
  const changes = difference.data ? changesOf(difference.data, number) : [];
  return (
    <Section
      title={
        <>
          Derived from{' '}
          <Anchor component={Link} to={`/jobs/${origin}`} inherit fw={400}>
            {origin}
          </Anchor>
        </>
      }
    >
      {difference.isPending && <LoadingRows rows={2} />}
      {isGone && (
        <Text size="sm" c="dimmed">
          That job is gone, or not yours to see, so what differs cannot be told. This job has all it needs.
        </Text>
      )}
      {difference.isError && !isGone && (
        <ErrorNote error={difference.error} onRetry={() => void difference.refetch()} />
      )}
      {difference.isSuccess && changes.length === 0 && (
        <Text size="sm" c="dimmed">
          Parameters, rows and settings are the same.
        </Text>
      )}
      {changes.length > 0 && (
        <Table fz="xs" verticalSpacing={4}>
          <Table.Tbody>
            {changes.map(({ name, before, after }) => (
              <Table.Tr key={name}>
                <Table.Th w="30%">{name}</Table.Th>
                <Table.Td>
                  <ChangedValue before={before} after={after} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {difference.data?.moreParams && (
        <Text size="xs" c="dimmed">
          More parameters differ than the first 1,000 shown.
        </Text>
      )}
    </Section>
  );
}
