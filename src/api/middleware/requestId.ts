// Every request has an id, which its answer, its log lines and its audit rows carry.
import type { RequestHandler } from 'express';
import { newId } from '../../lib/ids';

export const requestId: RequestHandler = (request, response, next) => {
  request.id = newId();
  request.caller = null;
  response.setHeader('X-Request-Id', request.id);
  next();
};
