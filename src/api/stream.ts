// GET /stream: server-sent events that say what changed; the client fetches it again. At least once, versions never fall.
import type { Request, Response } from 'express';
import { FINAL_STATES } from '../jobs/lifecycle';
import type { FeedRow } from '../db/queries/feedReading';
import type { Actor } from '../jobs/actor';
import type { ApiDeps } from './apiDeps';
import { findCaller } from './auth/authenticate';

/** Proxies close what is silent for longer. */
const COMMENT_MS = 15_000;
/** Session and role are looked at again in this time: who lost them loses the stream (within 5 s, api.md). */
const CHECK_MS = 4000;
/** A client that does not read for so much is cut off and resumes. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const CURSOR = /^f(\d{1,15})$/;

export async function serveStream(deps: ApiDeps, actor: Actor, request: Request, response: Response): Promise<void> {
  response
    .status(200)
    .set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no', Connection: 'keep-alive' });
  response.flushHeaders();
  const write = (text: string): void => {
    if (response.writableEnded) return;
    response.write(text);
    if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy();
  };
  const scopes = request.caller?.scopes ?? null;
  const mayHear = ({ topic }: FeedRow): boolean =>
    topic !== 'deployment' || scopes === null || scopes.includes('deployments:read');
  const take = (entries: FeedRow[]): void =>
    write(
      entries
        .filter(mayHear)
        .flatMap((entry) => eventsOf(entry, actor))
        .join(''),
    );
  const given = request.headers['last-event-id'];
  const cursor = typeof given === 'string' ? CURSOR.exec(given)?.[1] : undefined;
  let subscription =
    given === undefined || cursor ? await deps.events.subscribe(cursor ? Number(cursor) : null, take) : null;
  if (!subscription) {
    subscription = await deps.events.subscribe(null, take);
    write(`event: reset\nid: f${subscription?.from ?? 0}\ndata: {}\n\n`);
  } else {
    // Tells the cursor before the first change, so that a client that is cut off early loses nothing.
    write(`id: f${subscription.from}\ndata: {}\n\n`);
  }
  const cancelStop = deps.events.onStop(() => {
    response.end();
    request.socket.destroySoon();
  });
  const comments = setInterval(() => write(': still here\n\n'), COMMENT_MS);
  const checks = setInterval(() => {
    stillMay(deps, actor, request).then(
      (may) => (may ? undefined : response.end()),
      () => undefined,
    );
  }, CHECK_MS);
  await new Promise<void>((resolve) => response.once('close', resolve));
  clearInterval(comments);
  clearInterval(checks);
  cancelStop();
  subscription?.close();
}

/** The session as it stands in the ledger now: express-session keeps its own copy for the request. */
async function stillMay(deps: ApiDeps, actor: Actor, request: Request): Promise<boolean> {
  if (request.caller?.by === 'session') {
    const stands = await new Promise<boolean>((resolve, reject) =>
      request.sessionStore.get(request.sessionID, (error: unknown, session) =>
        error ? reject(error as Error) : resolve(Boolean(session)),
      ),
    );
    if (!stands) return false;
  }
  const caller = await findCaller(deps.db, request).catch((error: { code?: string }) => {
    if (error.code === 'not_signed_in') return null;
    throw error;
  });
  return caller?.user.id === actor.id && caller.user.role === actor.role;
}

function eventsOf(entry: FeedRow, actor: Actor): string[] {
  const isOwn = entry.ownerId === actor.id;
  if (!isOwn && actor.role !== 'superadmin') return [];
  const { subjectId: id, run, version, state, seq } = entry;
  const data = JSON.stringify({ id, run, version, state });
  const events = [`event: ${entry.topic}\nid: f${seq}\ndata: ${data}\n\n`];
  const hasEnded = entry.topic === 'job' && (FINAL_STATES as readonly string[]).includes(state);
  if (isOwn && hasEnded) events.push(`event: notification\nid: f${seq}\ndata: ${data}\n\n`);
  return events;
}
