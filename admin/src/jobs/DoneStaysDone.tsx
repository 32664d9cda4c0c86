// The warning before a cancel: what was done stays done, how much that is by now, and whether there is a way back.
import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import type { Job } from '../api/types';
import { useFormats } from '../format/useFormats';
import { useJob } from './useJob';

export function DoneStaysDone({ job: given }: { job: Job }) {
  const { number } = useFormats();
  const { progress, kind: name } = useJob(given.id).data ?? given;
  const kinds = useQuery({ queryKey: keys.kinds, queryFn: ({ signal }) => client.jobKinds(signal), staleTime: 60_000 });
  const kind = kinds.data?.find((each) => each.kind === name);
  const rows = progress.total === null ? '' : ` ${number(progress.done)} of ${number(progress.total)} rows so far.`;
  // A kind that the reader may not start is not in the list: nothing is said about its way back.
  const back = !kind
    ? ''
    : kind.policy.undoable
      ? ' Once it has ended, Undo can put back what it changed.'
      : ' This kind of job has no undo.';
  return (
    <Alert color="orange" variant="light" py={6} icon={<IconAlertTriangle size={16} aria-hidden />}>
      What was done stays done:{rows === '' ? ' canceling takes nothing back.' : rows}
      {back}
    </Alert>
  );
}
