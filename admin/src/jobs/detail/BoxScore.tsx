// The rows of the latest run, counted.
import { Group } from '@mantine/core';
import type { Progress } from '../../api/types';
import { useFormats } from '../../format/useFormats';
import { Figure } from '../../shell/Figure';
import classes from './BoxScore.module.css';

export function BoxScore({ progress }: { progress: Progress }) {
  const { number } = useFormats();
  const { total, done, failed, skipped, ratePerSecond } = progress;
  const boxes: [string, string, boolean][] = [
    ['Total', total === null ? 'not known' : number(total), false],
    ['Dealt with', number(done), false],
    ['Good', number(Math.max(0, done - failed - skipped)), false],
    ['Failed', number(failed), failed > 0],
    ['Skipped', number(skipped), false],
    ['Remaining', total === null ? '–' : number(Math.max(0, total - done)), false],
    ['Per second', ratePerSecond === null ? '–' : number(Math.round(ratePerSecond)), false],
  ];
  return (
    <Group gap={0}>
      {boxes.map(([name, value, isBad]) => (
        <div key={name} className={classes.box}>
          <Figure name={name} value={value} isBad={isBad} />
        </div>
      ))}
    </Group>
  );
}
