// What the latest run asked approval for, and how it was decided: exactly the frozen request that the hash stands for.
import { Code, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { jobClient } from '../../api/jobClient';
import { keys } from '../../api/queryKeys';
import type { Approval, Job } from '../../api/types';
import { TimeText } from '../../format/TimeText';
import { useFormats } from '../../format/useFormats';
import { CopyButton } from '../../shell/CopyButton';
import { ErrorNote } from '../../shell/ErrorNote';
import { Facts } from '../../shell/Facts';
import { LoadingRows } from '../../shell/LoadingRows';
import { Section } from './Section';
import classes from './ApprovalFacts.module.css';

const STATES: Record<Approval['state'], string> = {
  open: 'Waits for a decision',
  approved: 'Approved',
  rejected: 'Rejected',
  withdrawn: 'Withdrawn',
  expired: 'Expired: nobody decided in time',
  canceled: 'The job ended before it was decided',
};
const DECISIONS = { approved: 'approved', rejected: 'rejected', withdrawn: 'withdrew it' } as const;
const SHOWN_ROWS = 5;

export function ApprovalFacts({ job }: { job: Job }) {
  const approval = useQuery({
    queryKey: keys.jobAside(job.id, 'approval', job.state, job.run, job.approval?.approvals),
    queryFn: ({ signal }) => jobClient.approval(job.id, signal),
    placeholderData: (previous) => previous,
  });
  return (
    <Section title="Approval">
      {approval.isPending && <LoadingRows rows={4} />}
      {approval.isError && <ErrorNote error={approval.error} onRetry={() => void approval.refetch()} />}
      {approval.data && <Request approval={approval.data} />}
    </Section>
  );
}

/** When nobody has decided. */
function endOf(state: Approval['state'], at: string): [string, ReactNode][] {
  if (state !== 'open' && state !== 'expired') return [];
  return [[state === 'open' ? 'Expires' : 'Expired', <TimeText at={at} full />]];
}

function Request({ approval }: { approval: Approval }) {
  const { number } = useFormats();
  const { state, requester, requestedAt, expiresAt, quorum, approvers, requestHash, rows, decisions } = approval;
  const given = decisions.filter((each) => each.decision === 'approved').length;
  const people = approvers === null ? 'any superadmin' : approvers.join(', ');
  return (
    <>
      <Facts
        facts={[
          ['State', STATES[state]],
          [
            'Asked by',
            <>
              {requester.name}, <TimeText at={requestedAt} full />
            </>,
          ],
          [
            'Needs',
            `${number(quorum)} ${quorum === 1 ? 'approval' : 'approvals'} by ${people}; ${number(given)} given`,
          ],
          ...endOf(state, expiresAt),
          [
            'Hash of the request',
            <span className={classes.hash}>
              <Code>{requestHash}</Code> <CopyButton text={requestHash} what="hash" />
            </span>,
          ],
        ]}
      />
      {decisions.length > 0 && (
        <List size="sm" aria-label="Decisions">
          {decisions.map(({ user, decision, reason, byLink, at }) => (
            <List.Item key={`${user.id} ${at}`}>
              {user.name} {DECISIONS[decision]}
              {byLink && ' by the link in the mail'}, <TimeText at={at} />
              {reason && `: “${reason}”`}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="xs" c="dimmed">
        Frozen when it was asked for: parameters{rows ? ` and ${number(rows.ofRun)} of ${number(rows.total)} rows` : ''}
        .
      </Text>
      <Code block className={classes.frozen} tabIndex={0} aria-label="Frozen parameters">
        {approval.paramsText}
      </Code>
      {rows && rows.first.length > 0 && (
        <Code block className={classes.frozen} tabIndex={0} aria-label="First rows">
          {rows.first
            .slice(0, SHOWN_ROWS)
            .map(({ rowIndex, row }) => `${rowIndex}  ${JSON.stringify(row)}`)
            .join('\n')}
          {rows.ofRun > SHOWN_ROWS && `\n… and ${number(rows.ofRun - Math.min(SHOWN_ROWS, rows.first.length))} more`}
        </Code>
      )}
    </>
  );
}
