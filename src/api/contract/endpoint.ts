// How an endpoint is declared: method, path, what it takes and answers, and who may call it. From these declarations come the
// checks of each request, openapi.json and the access matrix. Handlers are joined to them by implement() and nowhere else.
import type { Request, Response } from 'express';
import { z, type ZodObject, type ZodType } from 'zod';
import type { UserRole } from '../../db/generated/database';
import type { Actor } from '../../jobs/actor';
import type { ApiDeps } from '../apiDeps';
import type { Scope } from './scopes';

/** anonymous: nobody needs to be known. signedIn: any role. A list: these roles only, all others get 403. */
export type Access = 'anonymous' | 'signedIn' | readonly UserRole[];

export const SUPERADMIN = ['superadmin'] as const;
export const LIST_READERS = ['power_user', 'superadmin'] as const;

export type HeaderName = 'If-Match' | 'Idempotency-Key' | 'Last-Event-ID';

export interface Endpoint<P extends ZodObject, Q extends ZodObject, B extends ZodType, R extends ZodType> {
  method: 'get' | 'post' | 'patch' | 'put' | 'delete';
  /** Express form, such as `/jobs/:jobId/cancel`; under /api/v1 unless `root`. */
  path: string;
  /** Stands at the root of the server instead. */
  root?: boolean;
  summary: string;
  tag: string;
  access: Access;
  /** What a token with scopes needs; null: nothing. Left out: it follows from tag and method (scopes.ts). */
  scope?: Scope | null;
  params: P;
  query: Q;
  /** Null: the request has no JSON body (or one that its handler reads itself, as uploads do). */
  body: B | null;
  /** A handler that reads the request stream itself. */
  rawBody?: {
    contentTypes: readonly string[];
    parts: Readonly<Record<string, 'job' | 'file' | 'text'>>;
    json?: ZodType;
  };
  /** Headers that it heeds besides those of every call; for openapi.json. */
  headers?: readonly HeaderName[];
  status: number;
  /** Null: no JSON answer. */
  response: R | null;
  /** Another answer that the handler gives by itself. */
  also?: { status: number; description: string; response: ZodType };
  contentType?: string;
}

type Declared<P extends ZodObject, Q extends ZodObject, B extends ZodType, R extends ZodType> = Omit<
  Endpoint<P, Q, B, R>,
  'params' | 'query' | 'body' | 'response' | 'status'
> & { params?: P; query?: Q; body?: B; response?: R; status?: number };

const NOTHING = z.strictObject({});

export function endpoint<
  P extends ZodObject = typeof NOTHING,
  Q extends ZodObject = typeof NOTHING,
  B extends ZodType = typeof NOTHING,
  R extends ZodType = ZodType<undefined>,
>(declared: Declared<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return {
    ...declared,
    params: declared.params ?? (NOTHING as unknown as P),
    query: declared.query ?? (NOTHING as unknown as Q),
    body: declared.body ?? null,
    status: declared.status ?? 200,
    response: declared.response ?? null,
  };
}

export interface Call<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Who calls; for anonymous endpoints it must not be read. */
  actor: Actor;
  request: Request;
  response: Response;
  deps: ApiDeps;
}

/** What the router mounts. Types are erased here: implement() has checked them. */
export interface Route {
  endpoint: Endpoint<ZodObject, ZodObject, ZodType, ZodType>;
  handle(call: Call<never, never, never>): Promise<unknown>;
}

/** @param handle returns the document of the answer, or undefined when it has answered itself. */
export function implement<P extends ZodObject, Q extends ZodObject, B extends ZodType, R extends ZodType>(
  declared: Endpoint<P, Q, B, R>,
  handle: (call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>) => Promise<z.input<R> | undefined | void>,
): Route {
  return { endpoint: declared as unknown as Route['endpoint'], handle: handle as unknown as Route['handle'] };
}
