// Which kind, with which parameters, over which rows, and what to do when it ends.
import { Button, Checkbox, Group, Progress, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { JobKind, NewJob } from '../../api/types';
import { useMe } from '../../session/useMe';
import { EmptyNote } from '../../shell/EmptyNote';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { CautionFields, readCaution, type Caution } from './CautionFields';
import { RowsInput } from './RowsInput';
import { SchemaField } from './SchemaField';
import { fieldsOf, readParams, startValues, type Typed } from './schemaFields';

interface Props {
  firstKind: string | null;
  upload: number | null;
  error: unknown;
  faults: { path: string; message: string }[];
  onCancel(): void;
  onStart(job: NewJob, rows: File | null): void;
}

/** Kinds under the first word of their menu path, as the select groups them. */
function grouped(kinds: JobKind[]) {
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const kind of kinds) {
    const group = kind.menu.join(' › ') || 'Other';
    groups.set(group, [...(groups.get(group) ?? []), { value: kind.kind, label: kind.title }]);
  }
  return [...groups].map(([group, items]) => ({ group, items }));
}

export function StartForm({ firstKind, upload, error, faults, onCancel, onStart }: Props) {
  const me = useMe();
  const kinds = useQuery({ queryKey: keys.kinds, queryFn: ({ signal }) => client.jobKinds(signal), staleTime: 60_000 });
  const [chosen, setChosen] = useState<string | null>(firstKind);
  const [typed, setTyped] = useState<Typed>({});
  const [ownFaults, setOwnFaults] = useState<Record<string, string>>({});
  const [rows, setRows] = useState<File | null>(null);
  const [title, setTitle] = useState('');
  const [wantsMail, setWantsMail] = useState(true);
  const [caution, setCaution] = useState<Caution>({ trial: '', maxFailed: '' });

  const errorPlace = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A long form hides its end: what the server said must be seen.
    if (error !== null) errorPlace.current?.scrollIntoView({ block: 'nearest' });
  }, [error]);

  if (kinds.isPending) return <LoadingRows rows={4} />;
  if (kinds.isError) return <ErrorNote error={kinds.error} onRetry={() => void kinds.refetch()} />;
  if (kinds.data.length === 0) {
    return (
      <EmptyNote title="There is nothing you may start">
        <Text size="sm" c="dimmed">
          A superadmin can add an operation and open it to your role.
        </Text>
      </EmptyNote>
    );
  }
  const kind = kinds.data.find((each) => each.kind === (chosen ?? kinds.data[0]?.kind)) ?? kinds.data[0];
  if (!kind) return null;
  const fields = fieldsOf(kind.paramsSchema);
  const values = { ...startValues(fields), ...typed };
  const isSending = upload !== null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { params, faults: found } = readParams(fields, values);
    const { options, faults: careless } = readCaution(caution);
    const all = { ...found, ...careless };
    if (kind.takesRows && !rows) all['rows'] = 'Choose a file of rows first.';
    setOwnFaults(all);
    if (Object.keys(all).length > 0) return;
    const job: NewJob = { kind: kind.kind, params, notify: { email: wantsMail }, ...options };
    if (title.trim() !== '') job.title = title.trim();
    onStart(job, kind.takesRows ? rows : null);
  };
  const faultOf = (name: string) => ownFaults[name] ?? faults.find((fault) => fault.path === `params.${name}`)?.message;

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <Select
          label="What to do"
          data={grouped(kinds.data)}
          value={kind.kind}
          onChange={(value) => {
            setChosen(value);
            setTyped({});
            setOwnFaults({});
          }}
          allowDeselect={false}
          searchable={kinds.data.length > 8}
          data-autofocus
        />
        {fields.map((field) => (
          <SchemaField
            key={`${kind.kind} ${field.name}`}
            field={field}
            value={values[field.name] ?? ''}
            fault={faultOf(field.name)}
            onChange={(value) => setTyped((now) => ({ ...now, [field.name]: value }))}
          />
        ))}
        {kind.takesRows && (
          <RowsInput file={rows} rowSchema={kind.rowSchema} fault={ownFaults['rows']} onFile={setRows} />
        )}
        <TextInput
          label="Name of the job"
          placeholder={kind.title}
          value={title}
          maxLength={200}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        {kind.takesRows && <CautionFields value={caution} faults={ownFaults} onChange={setCaution} />}
        <Checkbox
          label={`E-mail me when it ends (${me.email})`}
          checked={wantsMail}
          onChange={(event) => setWantsMail(event.currentTarget.checked)}
        />
        <div ref={errorPlace}>{error !== null && <ErrorNote error={error} />}</div>
        {isSending && rows && (
          <div role="status">
            <Progress value={upload * 100} striped animated aria-label="Upload" />
            <Text size="xs" c="dimmed" mt={4}>
              {upload < 1 ? `Sending the file: ${Math.floor(upload * 100)}%` : 'The server reads the rows …'}
            </Text>
          </div>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            {isSending ? 'Stop' : 'Close'}
          </Button>
          <Button type="submit" loading={isSending}>
            Start
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
