// A deployment as a process: each tick reads its targets, decides (deployments/decide.ts), writes commands and sleeps until an
// agent's report, a cancel or the next look wakes it. No worker is held meanwhile. Started only by startDeployment, never by POST /jobs.
import { z } from 'zod';
import { findArtifactById } from '../../db/queries/artifacts';
import { listTargets, moveTarget, writeCommand, type TargetRow } from '../../db/queries/deploymentTargets';
import { lockDeploymentOfJob, markDeploymentStarted, type LockedDeployment } from '../../db/queries/deployments';
import { insertChange } from '../../db/queries/events';
import { newId } from '../../lib/ids';
import { findTargetKind, type KnownKind } from '../../targets/catalog';
import { defineProcess, type Advance, type ProcessContext } from '../define';
import { decide, type Decision } from '../deployments/decide';
import { runStatusOf } from '../deployments/runStatus';
import { isSettled, statusesBefore } from '../deployments/targetFlow';

const params = z.strictObject({ deploymentId: z.int().positive() });
type Params = z.infer<typeof params>;

/** Wake-ups come by themselves; this look finds what came without one, such as an agent whose web process died. */
const LOOK_EVERY_MS = 15_000;
/** A canceled one is looked after more often: it ends soon, with or without its agents. */
const CANCEL_LOOK_MS = 3_000;

export const deployment = defineProcess<Params>({
  kind: 'deployment',
  title: 'Deployment',
  menu: ['Deployments'],
  // Nobody starts one as a bare job: POST /projects/{p}/scenarios/{s}/deploy does, by the project's permissions.
  roles: [],
  // Each deployment is one line of the history; deploying again makes a new one.
  policy: { requeueable: false },
  params,
  advance,
});

async function advance(ctx: ProcessContext<Params>): Promise<Advance> {
  const run = await lockDeploymentOfJob(ctx.tx, ctx.jobId);
  if (!run) return failed('no_deployment', 'This job has no deployment; start one from a scenario.');
  const kind = findTargetKind(run.stageType);
  if (!kind) return failed('unknown_target', `Nothing here deploys to "${run.stageType}".`);
  const config = kind.config.parse(JSON.parse(run.config));
  await markDeploymentStarted(ctx.tx, run.id, runStatusOf(ctx.cancelRequested ? 'canceling' : 'running'));

  const targets = await listTargets(ctx.tx, run.id);
  const cancelAgeMs = ctx.cancelRequested ? (run.cancelAgeMs ?? 0) : null;
  const decision = decide(targets, { sequence: config.sequence, maxParallel: config.maxParallel, cancelAgeMs });
  await write(ctx, run, kind, config, targets, decision);
  await insertChange(ctx.tx, 'deployment', String(run.id), run.ownerId);
  const settled = targets.filter((target) => isSettled(target.status)).length + decision.settle.length;
  ctx.progress(settled, targets.length, decision.end ? undefined : decision.waitingFor);
  if (decision.end) return { type: 'ended', ...decision.end, report: reportOf(run, targets, decision) };
  // Commands reach the gateway only when they are committed: the next tick, at once, tells it.
  if (decision.command.length > 0) return { type: 'again' };
  if (ctx.cancelRequested || targets.some((one) => one.status === 'pending' && one.commandId)) ctx.deps.wakeAgents();
  return {
    type: 'waitFor',
    phase: decision.phase,
    waitingFor: decision.waitingFor,
    deadline: new Date(run.now.getTime() + (ctx.cancelRequested ? CANCEL_LOOK_MS : LOOK_EVERY_MS)),
  };
}

async function write(
  ctx: ProcessContext<Params>,
  run: LockedDeployment,
  kind: KnownKind,
  config: ReturnType<KnownKind['config']['parse']>,
  targets: TargetRow[],
  decision: Decision,
): Promise<void> {
  for (const { id, to, ...told } of decision.settle) {
    if (await moveTarget(ctx.tx, id, statusesBefore(to), to, told)) {
      const target = targets.find((one) => one.id === id);
      ctx.log(to === 'fail' ? 'error' : 'warn', `${target?.agentName ?? id}: ${told.error}`);
    }
  }
  if (decision.command.length === 0) return;
  const artifact = await findArtifactById(ctx.tx, run.artifactId);
  for (const target of targets.filter((one) => decision.command.includes(one.id))) {
    if (!artifact) {
      await moveTarget(ctx.tx, target.id, statusesBefore('fail'), 'fail', {
        cause: 'artifact_gone',
        error: 'The artifact is not there any more.',
      });
      continue;
    }
    const id = newId();
    const body = kind.plan({
      id,
      agentId: target.agentId,
      deploymentId: run.id,
      targetId: target.id,
      epoch: target.epoch + 1,
      artifact: {
        id: artifact.id,
        name: artifact.name,
        size: artifact.size,
        sha256: artifact.sha256,
        format: artifact.format as never,
        path: `/api/v1/agent/artifacts/${artifact.id}`,
      },
      config,
    });
    await writeCommand(ctx.tx, target.id, { commandId: id, epoch: body.epoch, body: JSON.stringify(body) });
    ctx.log('info', `${target.agentName}: command ${id} written${target.connected ? '' : '; the agent is away'}`);
  }
}

function failed(code: string, message: string): Advance {
  return { type: 'ended', state: 'failed', error: { code, message } };
}

function reportOf(run: LockedDeployment, targets: TargetRow[], decision: Decision): Record<string, unknown> {
  const settled = new Map(decision.settle.map((one) => [one.id, one]));
  return {
    deploymentId: run.id,
    targets: targets.map((target) => ({
      agent: target.agentName,
      status: settled.get(target.id)?.to ?? target.status,
      error: settled.get(target.id)?.error ?? target.error,
    })),
  };
}
