// Figures -> Prometheus text. Pure.
import type { Figures } from '../../db/queries/figures';
import { isFinal, JOB_STATES } from '../../jobs/lifecycle';

export function metricsText(figures: Figures, queue: { waiting: number; active: number }): string {
  const counts = new Map(figures.states.map(({ state, count }) => [state, count]));
  const open = JOB_STATES.filter((state) => !isFinal(state)).map(
    (state) => `gantry_jobs{state="${state}"} ${counts.get(state) ?? 0}`,
  );
  return [
    ...gauge('gantry_jobs', 'Jobs that have not ended, by state', open),
    ...single('gantry_oldest_wait_seconds', 'How long the oldest queued job has waited', figures.oldestWaitSeconds),
    ...single('gantry_workers', 'Worker processes with a fresh heartbeat', figures.workers),
    ...single('gantry_slots', 'Slots of those workers', figures.slots),
    ...single('gantry_slots_busy', 'Slots in use', figures.busy),
    ...single('gantry_outbox_due', 'Runs that wait to be sent', figures.outboxDue),
    ...single('gantry_notices_due', 'Notices that wait to be sent', figures.noticesDue),
    ...single('gantry_queue_waiting', 'Messages that wait in the queue', queue.waiting),
    ...single('gantry_queue_active', 'Messages in hand', queue.active),
    '',
  ].join('\n');
}

function gauge(name: string, help: string, lines: string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}

function single(name: string, help: string, value: number): string[] {
  return gauge(name, help, [`${name} ${value}`]);
}
