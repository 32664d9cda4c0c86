// Figures of the ledger -> Prometheus text, beside what the process counts itself. Labels are bounded: states, outcomes, and the
// kinds that are run most.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Figures } from '../../db/queries/figures';
import { DURATION_BOUNDS, type Counts, type DurationRow } from '../../db/queries/statistics';
import { isFinal, JOB_STATES } from '../../jobs/lifecycle';

export interface Measured {
  figures: Figures;
  queue: { waiting: number; active: number; delayed: number; failed: number };
  totals: (Counts & { kind: string })[];
  durations: DurationRow[];
}

/** Kinds that have series of their own. */
export const MAX_KINDS = 100;

export async function metricsText(process: Registry, measured: Measured): Promise<string> {
  const registry = new Registry();
  addGauges(registry, measured);
  addCounters(registry, measured);
  addDurations(registry, measured);
  return `${await registry.metrics()}\n${await process.metrics()}`;
}

function addGauges(registry: Registry, { figures, queue }: Measured): void {
  const { workers } = figures;
  const single = (name: string, help: string, value: number): void =>
    new Gauge({ name, help, registers: [registry] }).set(value);
  const jobs = new Gauge({
    name: 'gantry_jobs',
    help: 'Jobs that have not ended, by state',
    labelNames: ['state'],
    registers: [registry],
  });
  for (const state of JOB_STATES) {
    if (isFinal(state)) continue;
    const own = figures.depths.filter((depth) => depth.state === state);
    jobs.set(
      { state },
      own.reduce((sum, depth) => sum + depth.count, 0),
    );
  }
  single(
    'gantry_oldest_wait_seconds',
    'How long the oldest queued job has waited',
    (figures.oldest?.ageMs ?? 0) / 1000,
  );
  single('gantry_workers', 'Worker processes with a fresh heartbeat', workers.live);
  single('gantry_slots', 'Slots of those workers', workers.slots);
  single('gantry_slots_busy', 'Slots in use', workers.busy);
  single('gantry_slots_stuck', 'Slots held by handlers that did not heed their signal', workers.stuck);
  single('gantry_outbox_due', 'Runs that wait to be sent', figures.outboxDue);
  const open = figures.notices.filter(({ state }) => state === 'due' || state === 'sending');
  single(
    'gantry_notices_due',
    'Notices that wait to be sent',
    open.reduce((sum, { count }) => sum + count, 0),
  );
  const notices = new Gauge({
    name: 'gantry_notices',
    help: 'Notices that are kept, by state',
    labelNames: ['state'],
    registers: [registry],
  });
  for (const { state, count } of figures.notices) notices.set({ state }, count);
  single('gantry_queue_waiting', 'Messages that wait in the queue', queue.waiting);
  single('gantry_queue_active', 'Messages in hand', queue.active);
  single('gantry_queue_delayed', 'Messages of the queue that wait for their time', queue.delayed);
  single('gantry_queue_failed', 'Messages that the queue gave up; their jobs are sent again', queue.failed);
}

const OUTCOMES = [
  ['succeeded', 'succeeded'],
  ['completed_with_errors', 'completedWithErrors'],
  ['failed', 'failed'],
  ['canceled', 'canceled'],
  ['rejected', 'rejected'],
  ['withdrawn', 'withdrawn'],
  ['expired', 'expired'],
] as const satisfies [string, keyof Counts][];

function addCounters(registry: Registry, { totals }: Measured): void {
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames: ['kind', ...labelNames], registers: [registry] });
  const created = counter('gantry_runs_created_total', 'Runs that were made');
  const started = counter('gantry_runs_started_total', 'Runs that a worker began');
  const ended = counter('gantry_runs_ended_total', 'Runs that ended, by outcome', 'outcome');
  const rows = counter('gantry_rows_total', 'Rows dealt with in ended runs, by result', 'result');
  for (const total of totals) {
    const { kind } = total;
    created.inc({ kind }, total.created);
    started.inc({ kind }, total.started);
    for (const [outcome, key] of OUTCOMES) if (total[key] > 0) ended.inc({ kind, outcome }, total[key]);
    rows.inc({ kind, result: 'good' }, total.rowsGood);
    rows.inc({ kind, result: 'failed' }, total.rowsFailed);
  }
}

function addDurations(registry: Registry, { totals, durations }: Measured): void {
  const histogram = (measure: 'wait' | 'process', name: string, help: string): void => {
    const metric = new Histogram({ name, help, registers: [registry] });
    const values = totals.flatMap((total) => {
      const { kind } = total;
      const own = durations.filter((row) => row.kind === kind && row.measure === measure);
      const upTo = (bound: number): number =>
        own.filter((row) => row.atMost <= bound).reduce((sum, row) => sum + row.runs, 0);
      const sum = (measure === 'wait' ? total.waitMs : total.processMs) / 1000;
      return [
        ...DURATION_BOUNDS.map((bound) => ({
          metricName: `${name}_bucket`,
          labels: { kind, le: bound },
          value: upTo(bound),
        })),
        { metricName: `${name}_bucket`, labels: { kind, le: '+Inf' }, value: upTo(Infinity) },
        { metricName: `${name}_sum`, labels: { kind }, value: sum },
        { metricName: `${name}_count`, labels: { kind }, value: upTo(Infinity) },
      ];
    });
    // Counted by all processes in the ledger, not here: the library has no other way to be given a distribution.
    const get = (): unknown => Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
    Object.assign(metric, { get, getForPromString: get });
  };
  histogram('wait', 'gantry_wait_seconds', 'Runs by how long they waited for a worker');
  histogram('process', 'gantry_process_seconds', 'Runs by how long they were processed');
}
