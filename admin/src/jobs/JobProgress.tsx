// A job's bar with its figures: done of total, percent, failed, time left.
import type { Job } from '../api/types';
import { formatDuration } from '../format/formatDuration';
import { useFormats } from '../format/useFormats';
import classes from './JobProgress.module.css';
import { ProgressBar } from './ProgressBar';

interface Props {
  job: Job;
  large?: boolean;
}

export function JobProgress({ job, large = false }: Props) {
  const { number } = useFormats();
  const { total, done, failed, skipped, percent, etaMs, ratePerSecond, note } = job.progress;
  const isOpen = job.group === 'unprocessed';
  const isMoving = job.state === 'running' || job.state === 'canceling';
  if (!isMoving && total === null && done === 0) return <span className={classes.figures}>–</span>;
  const figures: string[] = [];
  if (total !== null) figures.push(`${number(done)} / ${number(total)}`);
  else if (done > 0) figures.push(number(done));
  if (percent !== null) figures.push(`${percent}%`);
  const rest: string[] = [];
  if (large && skipped > 0) rest.push(`${number(skipped)} skipped`);
  if (large && isMoving && ratePerSecond !== null) rest.push(`${number(Math.round(ratePerSecond))} per second`);
  if (isMoving && etaMs !== null) rest.push(`${formatDuration(etaMs)} left`);
  return (
    <div className={`${classes.block} ${large ? classes.large : ''}`}>
      <ProgressBar
        progress={job.progress}
        isOpen={isOpen && isMoving}
        label={`Progress of ${job.title}`}
        large={large}
      />
      <div className={classes.figures}>
        <span>{figures.join(' · ')}</span>
        {failed > 0 && <span className={classes.failed}>{number(failed)} failed</span>}
        <span>{rest.join(' · ')}</span>
        {large && note && <span>{note}</span>}
      </div>
    </div>
  );
}
