// What the job reported, the gravest lines first, and what its handler returned.
import { Button, Code, Group, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleX, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { Job, Report } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { LookBadge } from '../../shell/LookBadge';
import { Section } from './Section';

type Severity = Report['entries'][number]['severity'];

const LOOKS: Record<Severity, { word: string; color: string; Icon: typeof IconCircleX }> = {
  error: { word: 'Error', color: 'red', Icon: IconCircleX },
  warning: { word: 'Warning', color: 'orange', Icon: IconAlertTriangle },
  info: { word: 'Info', color: 'gray', Icon: IconInfoCircle },
};
const GRAVEST_FIRST: Severity[] = ['error', 'warning', 'info'];
const SHOWN_FIRST = 10;
const LOOK_MS = 3000;

export function ReportEntries({ job }: { job: Job }) {
  const { number } = useFormats();
  const [isAll, setAll] = useState(false);
  const report = useQuery({
    queryKey: keys.jobAside(job.id, 'report', job.state, job.run, job.reportSeverity),
    queryFn: ({ signal }) => jobClient.report(job.id, signal),
    placeholderData: (previous) => previous,
    refetchInterval: job.group === 'unprocessed' ? LOOK_MS : false,
  });
  const entries = GRAVEST_FIRST.flatMap((severity) =>
    (report.data?.entries ?? []).filter((entry) => entry.severity === severity),
  );
  const shown = isAll ? entries : entries.slice(0, SHOWN_FIRST);
  return (
    <Section title="Report">
      {report.isPending && <LoadingRows rows={2} />}
      {report.isError && <ErrorNote error={report.error} onRetry={() => void report.refetch()} />}
      {report.data && (
        <Group gap="md">
          {GRAVEST_FIRST.map((severity) => (
            <LookBadge
              key={severity}
              {...LOOKS[severity]}
              word={`${LOOKS[severity].word} ${number(report.data.counts[severity])}`}
            />
          ))}
        </Group>
      )}
      {shown.length > 0 && (
        <Table fz="xs" verticalSpacing={4}>
          <Table.Tbody>
            {shown.map((entry, index) => (
              <Table.Tr key={index}>
                <Table.Td w={90}>
                  <LookBadge {...LOOKS[entry.severity]} />
                </Table.Td>
                <Table.Td>
                  {entry.message}
                  {entry.data !== null && (
                    <Text size="xs" c="dimmed" component="div">
                      {JSON.stringify(entry.data)}
                    </Text>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {entries.length > shown.length && (
        <div>
          <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>
            Show all {number(entries.length)} lines
          </Button>
        </div>
      )}
      {report.data?.result && <Code block>{JSON.stringify(report.data.result, null, 2)}</Code>}
    </Section>
  );
}
