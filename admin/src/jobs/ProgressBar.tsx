// The bar alone: good, skipped and failed rows beside each other, the failed ones striped as well as red.
// Never ahead of the truth; without a total it only shows that work goes on.
import type { Progress } from '../api/types';
import classes from './ProgressBar.module.css';

interface Props {
  progress: Progress;
  isOpen: boolean;
  label: string;
  large?: boolean;
}

/** A single failed row of a million must still be seen. */
const LEAST_FAILED_SHARE = 1.5;

export function ProgressBar({ progress, isOpen, label, large = false }: Props) {
  const { total, done, failed, skipped, percent } = progress;
  const known = total !== null && total > 0;
  const share = (count: number) => (known ? (100 * count) / total : 0);
  const failedShare = failed > 0 ? Math.min(100, Math.max(LEAST_FAILED_SHARE, share(failed))) : 0;
  const skippedShare = share(skipped);
  const goodShare = Math.max(0, Math.min(100, share(done)) - failedShare - skippedShare);
  const shownPercent = known ? (percent ?? Math.floor(share(done))) : undefined;
  return (
    <div
      className={`${classes.bar} ${large ? classes.large : ''} ${!known && isOpen ? classes.unknown : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={shownPercent}
      aria-valuetext={known ? `${shownPercent} percent, ${failed} failed` : undefined}
    >
      <div className={classes.good} style={{ width: `${goodShare}%` }} />
      <div className={classes.skipped} style={{ width: `${skippedShare}%` }} />
      <div className={classes.failed} style={{ width: `${failedShare}%` }} />
    </div>
  );
}
