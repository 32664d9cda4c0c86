// Opens the start dialog filled in from this job, for those who may start its kind.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconEdit } from '@tabler/icons-react';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { useStartDialog } from '../start/StartDialogProvider';

export function ResubmitButton({ job }: { job: Job }) {
  const open = useStartDialog();
  const kinds = useQuery({ queryKey: keys.kinds, queryFn: ({ signal }) => client.jobKinds(signal), staleTime: 60_000 });
  const mayStart = kinds.data?.some((kind) => kind.kind === job.kind) ?? false;
  // An undo belongs to the job that it takes back.
  if (!mayStart || job.undoOf !== null) return null;
  return (
    <Button size="xs" variant="default" leftSection={<IconEdit size={14} aria-hidden />} onClick={() => open(job)}>
      Edit and resubmit
    </Button>
  );
}
