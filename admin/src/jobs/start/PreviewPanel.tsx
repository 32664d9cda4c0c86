// What the job would do, as the server judged its first rows. Asking changes nothing; the answer is not kept.
import { Button, Code, Group, List, Paper, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { jobClient } from '../../api/jobClient';
import type { NewJob, Preview } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { ErrorNote } from '../../shell/ErrorNote';
import { Figure } from '../../shell/Figure';
import { LoadingRows } from '../../shell/LoadingRows';
import { PreviewChange } from './PreviewChange';
import classes from './PreviewPanel.module.css';

interface Props {
  job: NewJob;
  rows: File | null;
  number: number;
}

const SHOWN_FIRST = 8;

export function PreviewPanel({ job, rows, number }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const preview = useQuery({
    queryKey: ['preview', number, job],
    queryFn: ({ signal }) => jobClient.preview(job, rows, signal),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  useEffect(() => {
    if (preview.isFetched) place.current?.scrollIntoView({ block: 'nearest' });
  }, [preview.isFetched]);
  return (
    <Paper ref={place} className={classes.panel} withBorder p="sm" role="region" aria-label="Preview">
      {preview.isPending && <LoadingRows rows={3} />}
      {preview.isError && <ErrorNote error={preview.error} onRetry={() => void preview.refetch()} />}
      {preview.data && <Judged preview={preview.data} />}
    </Paper>
  );
}

function Judged({ preview }: { preview: Preview }) {
  const { number } = useFormats();
  const [isAll, setAll] = useState(false);
  const { wouldSucceed, wouldSkip, wouldFail, refusals } = preview;
  const rows = isAll ? preview.rows : preview.rows.slice(0, SHOWN_FIRST);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Group gap="md" role="status">
          <Figure name="Would succeed" value={number(wouldSucceed)} />
          <Figure name="Would be skipped" value={number(wouldSkip)} />
          <Figure name="Would fail" value={number(wouldFail)} isBad={wouldFail > 0} />
        </Group>
        <Text size="xs" c="dimmed">
          Nothing was changed.
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {judgedWords(preview, number)}
      </Text>
      {refusals.length > 0 && (
        <List size="sm">
          {refusals.map(({ code, message, count }) => (
            <List.Item key={code}>
              {number(count)} × <Code>{code}</Code> {message}
            </List.Item>
          ))}
        </List>
      )}
      {rows.length > 0 && (
        <div className={classes.rows} tabIndex={0} role="group" aria-label="Rows of the preview">
          <Table fz="xs" verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th title="Counted from 0 over the whole input">Row</Table.Th>
                <Table.Th>Change</Table.Th>
                <Table.Th>Outcome</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.rowIndex}>
                  <Table.Td>{row.rowIndex}</Table.Td>
                  <Table.Td>
                    <PreviewChange before={row.before} after={row.after} isRefused={row.refusal !== null} />
                  </Table.Td>
                  <Table.Td className={row.refusal ? classes.bad : undefined}>
                    {row.refusal ? row.refusal.message : row.skipped ? 'Skipped' : 'Would succeed'}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {preview.rows.length > rows.length && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>
          Show all {number(preview.rows.length)} judged rows
        </Button>
      )}
    </Stack>
  );
}

function judgedWords({ judged, judgedBy, total }: Preview, number: (value: number) => string): string {
  const all = total !== null && total <= judged;
  const rows = all ? `all ${number(judged)} rows` : `the first ${number(judged)}`;
  const of = all ? '' : total === null ? ' rows of the file' : ` of ${number(total)} rows`;
  switch (judgedBy) {
    case 'kind':
      return `The kind itself judged ${rows}${of}.`;
    case 'schema':
      return `Only the form of ${rows}${of} was checked: this kind cannot say beforehand what it would change.`;
    case 'params':
      return 'Only the parameters were checked: this kind cannot judge single rows beforehand.';
  }
}
