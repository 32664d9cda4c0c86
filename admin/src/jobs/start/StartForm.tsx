// Which kind, with which parameters, over which rows, and what to do when it ends. With `from` it is filled in from an old
// job, whose kind stays and whose rows are chosen from instead of sent.
import { Button, Checkbox, Group, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState, type FormEvent } from 'react';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job, NewJob, Resubmission } from '../../api/types';
import { useMe } from '../../session/useMe';
import { EmptyNote } from '../../shell/EmptyNote';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { CautionChoice } from './CautionChoice';
import { CautionFields } from './CautionFields';
import { firstDraft, firstValues, readNewJob, readResubmission, type Draft, type Faults } from './draft';
import { KindSelect } from './KindSelect';
import { RowsChoice } from './RowsChoice';
import { RowsInput } from './RowsInput';
import { SchemaField } from './SchemaField';
import { fieldsOf } from './schemaFields';
import classes from './StartForm.module.css';

const PreviewPanel = lazy(() => import('./PreviewPanel').then((room) => ({ default: room.PreviewPanel })));

interface Props {
  from: Job | null;
  upload: number | null;
  error: unknown;
  faults: { path: string; message: string }[];
  onCancel(): void;
  onStart(job: NewJob, rows: File | null): void;
  onResubmit(from: Job, change: Resubmission): void;
}

interface Previewed {
  job: NewJob;
  rows: File | null;
  number: number;
}

/** What a preview depends on. */
const partsOf = ({ job, rows }: Omit<Previewed, 'number'>) =>
  `${JSON.stringify([job.kind, job.params])} ${rows?.name} ${rows?.size} ${rows?.lastModified}`;

export function StartForm({ from, upload, error, faults, onCancel, onStart, onResubmit }: Props) {
  const me = useMe();
  const kinds = useQuery({ queryKey: keys.kinds, queryFn: ({ signal }) => client.jobKinds(signal), staleTime: 60_000 });
  const [chosen, setChosen] = useState<string | null>(from?.kind ?? null);
  const [draft, setDraft] = useState<Draft>(() => firstDraft(from));
  const [ownFaults, setOwnFaults] = useState<Faults>({});
  const [previewed, setPreviewed] = useState<Previewed | null>(null);
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));

  const errorPlace = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A long form hides its end: what the server said must be seen.
    if (error !== null) errorPlace.current?.scrollIntoView({ block: 'nearest' });
  }, [error]);

  if (kinds.isPending) return <LoadingRows rows={4} />;
  if (kinds.isError) return <ErrorNote error={kinds.error} onRetry={() => void kinds.refetch()} />;
  const wanted = kinds.data.find((each) => each.kind === (chosen ?? kinds.data[0]?.kind));
  const kind = wanted ?? (from ? undefined : kinds.data[0]);
  if (!kind) {
    return (
      <EmptyNote title={from ? 'You may not start this kind of job' : 'There is nothing you may start'}>
        <Text size="sm" c="dimmed">
          A superadmin can add an operation and open it to your role.
        </Text>
      </EmptyNote>
    );
  }
  const values = { ...firstValues(kind, from), ...draft.typed };
  const isSending = upload !== null;
  const current = readNewJob(kind, draft);
  const isFresh = previewed !== null && partsOf(previewed) === partsOf({ job: current.job, rows: draft.rows });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const again = from && readResubmission(kind, from, draft);
    const found = again ? again.faults : current.faults;
    setOwnFaults(found);
    if (Object.keys(found).length > 0) return;
    if (again) onResubmit(from, again.change);
    else onStart(current.job, kind.takesRows ? draft.rows : null);
  };
  const preview = () => {
    setOwnFaults(current.faults);
    if (Object.keys(current.faults).length > 0) return;
    setPreviewed({ job: current.job, rows: draft.rows, number: (previewed?.number ?? 0) + 1 });
  };
  const faultOf = (name: string) => ownFaults[name] ?? faults.find((fault) => fault.path === `params.${name}`)?.message;
  const mailTo = from && from.owner.id === me.id && from.notify.email ? from.notify.to : me.email;

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        {from ? (
          <Text size="sm">
            A new job like <b>{from.title}</b> ({kind.title}), with what you change here. The old one stays as it is.
          </Text>
        ) : (
          <KindSelect
            kinds={kinds.data}
            kind={kind}
            onChange={(value) => {
              setChosen(value);
              change({ typed: {} });
              setOwnFaults({});
            }}
          />
        )}
        {fieldsOf(kind.paramsSchema).map((field) => (
          <SchemaField
            key={`${kind.kind} ${field.name}`}
            field={field}
            value={values[field.name] ?? ''}
            fault={faultOf(field.name)}
            onChange={(value) => setDraft((now) => ({ ...now, typed: { ...now.typed, [field.name]: value } }))}
          />
        ))}
        {kind.takesRows && from && (
          <RowsChoice from={from} value={draft.scope} onChange={(scope) => change({ scope })} />
        )}
        {kind.takesRows && !from && (
          <RowsInput
            file={draft.rows}
            rowSchema={kind.rowSchema}
            fault={ownFaults['rows']}
            onFile={(rows) => change({ rows })}
          />
        )}
        <TextInput
          label="Name of the job"
          placeholder={from?.title ?? kind.title}
          value={draft.title}
          maxLength={200}
          onChange={(event) => change({ title: event.currentTarget.value })}
        />
        {kind.takesRows && from && <CautionChoice draft={draft} faults={ownFaults} onChange={change} />}
        {kind.takesRows && !from && (
          <CautionFields value={draft.caution} faults={ownFaults} onChange={(caution) => change({ caution })} />
        )}
        <Checkbox
          label={`E-mail me when it ends (${mailTo})`}
          checked={draft.wantsMail}
          onChange={(event) => change({ wantsMail: event.currentTarget.checked })}
        />
        <div ref={errorPlace}>{error !== null && <ErrorNote error={error} />}</div>
        {isSending && draft.rows && (
          <div role="status">
            <Progress value={upload * 100} striped animated aria-label="Upload" />
            <Text size="xs" c="dimmed" mt={4}>
              {upload < 1 ? `Sending the file: ${Math.floor(upload * 100)}%` : 'The server reads the rows …'}
            </Text>
          </div>
        )}
        {previewed && isFresh && !isSending && (
          <Suspense fallback={<LoadingRows rows={3} />}>
            <PreviewPanel key={previewed.number} {...previewed} />
          </Suspense>
        )}
        {previewed && !isFresh && (
          <Text size="xs" c="dimmed">
            The form was changed since the preview. Preview again to see what it would do now.
          </Text>
        )}
        <Group justify="flex-end" gap="xs" className={classes.buttons}>
          <Button variant="default" onClick={onCancel}>
            {isSending && draft.rows ? 'Stop' : 'Close'}
          </Button>
          {kind.takesRows && !from && (
            <Button variant="default" onClick={preview} disabled={isSending}>
              Preview
            </Button>
          )}
          <Button type="submit" loading={isSending}>
            {from ? 'Resubmit' : 'Start'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
