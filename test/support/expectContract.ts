// Holds every answer against the contract: its status, its content type, its document without a member more or less, and
// refusals against the shape of problems. Called by TestServer.call, so by every test that goes through HTTP.
import { fullPath } from '../../src/api/router';
import { allRoutes } from '../../src/api/routes/allRoutes';
import { ERROR_STATUS, type ErrorCode } from '../../src/lib/errors';
import type { Answer } from './webServer';

const routes = allRoutes.map(({ endpoint }) => ({
  endpoint,
  pattern: new RegExp(`^${fullPath({ endpoint }).replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}/?$`),
}));

/** Answers of these are not problems although their status says so. */
const OTHER_REFUSALS = new Set(['/readyz']);

export function expectContract(method: string, address: string, answer: Answer): void {
  const path = address.split('?')[0] ?? '';
  if (answer.status >= 400 && !OTHER_REFUSALS.has(path)) return expectProblem(answer);
  const route = routes.find(({ endpoint, pattern }) => endpoint.method.toUpperCase() === method && pattern.test(path));
  if (!route || answer.status >= 300) return;
  const { also } = route.endpoint;
  if (also && answer.status === also.status) return void expect(also.response.parse(answer.body)).toEqual(answer.body);
  const { status, response, contentType } = route.endpoint;
  expect([method, path, answer.status]).toEqual([method, path, status]);
  if (response) expect(response.parse(answer.body)).toEqual(answer.body);
  else if (contentType === '*/*') expect(answer.headers.get('content-type')).toBeTruthy();
  else if (contentType) expect(answer.headers.get('content-type')).toContain(contentType);
  else expect(answer.text).toBe('');
}

function expectProblem({ status, headers, body }: Answer): void {
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    type: `urn:gantry:problem:${body?.code}`,
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    requestId: headers.get('x-request-id'),
  });
  expect(ERROR_STATUS[body.code as ErrorCode]).toBe(status);
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:\d/);
}
