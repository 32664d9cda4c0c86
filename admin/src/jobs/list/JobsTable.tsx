// The table itself. Wide: it scrolls sideways in its own frame, with the first columns and the row menu in place.
import { Checkbox } from '@mantine/core';
import { useCallback, useRef } from 'react';
import type { Job } from '../../api/types';
import { JobRow } from './JobRow';
import classes from './JobsTable.module.css';

interface Props {
  jobs: Job[];
  selected: ReadonlySet<string>;
  onSelect(selected: ReadonlySet<string>): void;
}

const COLUMNS = [
  'Status',
  'Name',
  'Progress',
  'Errors',
  'Type',
  'Author',
  'Enqueued',
  'Started',
  'Ended',
  'Waiting',
  'Processing',
  'Host',
  'Notify',
  'Report',
  'Id',
];

export function JobsTable({ jobs, selected, onSelect }: Props) {
  const shown = jobs.filter((job) => selected.has(job.id)).length;
  // Rows are drawn again only when their job changed, so the function they get stays the same one.
  const latest = useRef({ jobs, selected, onSelect, anchor: null as string | null });
  latest.current = { ...latest.current, jobs, selected, onSelect };
  const toggle = useCallback((id: string, on: boolean, isRange: boolean) => {
    const now = latest.current;
    const next = new Set(now.selected);
    const ids = now.jobs.map((job) => job.id);
    const from = now.anchor === null ? -1 : ids.indexOf(now.anchor);
    const to = ids.indexOf(id);
    const range = isRange && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
    for (const each of range) {
      if (on) next.add(each);
      else next.delete(each);
    }
    now.anchor = id;
    now.onSelect(next);
  }, []);
  return (
    <div className={classes.frame} tabIndex={0} role="region" aria-label="Jobs">
      <table className={classes.table}>
        <thead>
          <tr>
            <th className={classes.check} scope="col">
              <Checkbox
                size="xs"
                aria-label="Select all shown jobs"
                checked={shown === jobs.length}
                indeterminate={shown > 0 && shown < jobs.length}
                onChange={(event) => onSelect(new Set(event.currentTarget.checked ? jobs.map((job) => job.id) : []))}
              />
            </th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" data-column={column}>
                {column}
              </th>
            ))}
            <th className={classes.menu} scope="col" aria-label="Actions" />
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} isSelected={selected.has(job.id)} onToggle={toggle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
