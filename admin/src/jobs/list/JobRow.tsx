// One job in the list. Drawn again only when its document or its selection changed; the times tick by themselves.
import { Anchor, Checkbox } from '@mantine/core';
import { IconMail, IconMailOff } from '@tabler/icons-react';
import { memo } from 'react';
import { Link } from 'react-router';
import type { Job } from '../../api/types';
import { LiveDuration } from '../../format/LiveDuration';
import { TimeText } from '../../format/TimeText';
import { useFormats } from '../../format/useFormats';
import { CopyButton } from '../../shell/CopyButton';
import { JobProgress } from '../JobProgress';
import { processingTime, waitingTime } from '../ownTimes';
import { StateBadge } from '../StateBadge';
import classes from './JobsTable.module.css';
import { RowMenu } from './RowMenu';

interface Props {
  job: Job;
  isSelected: boolean;
  onToggle(id: string, on: boolean, isRange: boolean): void;
}

export const JobRow = memo(function JobRow({ job, isSelected, onToggle }: Props) {
  const { number } = useFormats();
  const mail = job.notify.email ? `E-mail to ${job.notify.to ?? job.owner.email}` : 'No e-mail';
  const MailIcon = job.notify.email ? IconMail : IconMailOff;
  return (
    <tr data-selected={isSelected || undefined} data-job={job.id}>
      <td className={classes.check}>
        <Checkbox
          size="xs"
          aria-label={`Select ${job.title}`}
          checked={isSelected}
          onChange={(event) =>
            onToggle(job.id, event.currentTarget.checked, (event.nativeEvent as MouseEvent).shiftKey === true)
          }
        />
      </td>
      <td>
        <StateBadge state={job.state} phase={job.phase} />
      </td>
      <td className={classes.name} title={job.title}>
        <Link to={`/jobs/${job.id}`}>{job.title}</Link>
        {job.run > 1 && <span className={classes.sub}>run {job.run}</span>}
      </td>
      <td className={classes.progress}>
        <JobProgress job={job} />
      </td>
      <td className={`${classes.number} ${job.errorCount > 0 ? classes.bad : ''}`}>{number(job.errorCount)}</td>
      <td className={classes.short} title={job.kind}>
        {job.kind}
      </td>
      <td className={classes.short} title={job.owner.email}>
        {job.owner.name}
      </td>
      <td>
        <TimeText at={job.queuedAt ?? job.createdAt} />
      </td>
      <td>
        <TimeText at={job.startedAt} />
      </td>
      <td>
        <TimeText at={job.finishedAt} />
      </td>
      <td className={classes.number}>
        <LiveDuration {...waitingTime(job)} />
      </td>
      <td className={classes.number}>
        <LiveDuration {...processingTime(job)} />
      </td>
      <td className={classes.short} title={job.host ?? undefined}>
        {job.host ?? '–'}
      </td>
      <td title={mail}>
        <MailIcon size={15} role="img" aria-label={mail} color="var(--mantine-color-dimmed)" />
      </td>
      <td>
        {job.reportUrl ? (
          <Anchor href={job.reportUrl} size="xs" target="_blank" rel="noopener">
            Report
          </Anchor>
        ) : (
          '–'
        )}
      </td>
      <td className={classes.id} title={job.id}>
        <span className={classes.flex}>
          {job.id.slice(-8)}
          <CopyButton text={job.id} what="id" />
        </span>
      </td>
      <td className={classes.menu}>
        <RowMenu job={job} />
      </td>
    </tr>
  );
});
