// The declarations of the endpoints -> an OpenAPI 3.1 document. Pure.
import { z, type ZodType } from 'zod';
import type { Access, HeaderName, Route } from './endpoint';
import { jobBody } from './jobShapes';
import { scopeOf, SCOPES } from './scopes';

type Declared = Route['endpoint'];
type Json = Record<string, unknown>;

export function buildOpenApi(endpoints: Declared[]): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = (endpoint.root ? '' : '/api/v1') + endpoint.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[endpoint.method] = operationOf(endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gantry',
      version: '1',
      description: 'Bulk jobs and deployments. Errors are application/problem+json with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ session: [] }, { token: [] }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'gantry' },
        token: { type: 'http', scheme: 'bearer', description: `Scopes of a token:\n${SCOPE_TEXT}` },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

const SCOPE_TEXT = Object.entries(SCOPES)
  .map(([name, opens]) => `- \`${name}\`: ${opens}.`)
  .join('\n');

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    fields: {
      type: 'array',
      items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
    },
  },
};

function operationOf(endpoint: Declared): Json {
  const success = endpoint.response
    ? {
        description: endpoint.summary,
        content: { 'application/json': { schema: schemaOf(endpoint.response, 'output') } },
      }
    : endpoint.contentType
      ? { description: endpoint.summary, content: { [endpoint.contentType]: { schema: { type: 'string' } } } }
      : { description: 'Done' };
  const problem = {
    description: 'Refused',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  return {
    operationId: operationId(endpoint),
    summary: endpoint.summary,
    description: accessText(endpoint.access),
    tags: [endpoint.tag],
    ...securityOf(endpoint),
    parameters: [
      ...parametersOf(endpoint.params, 'path'),
      ...parametersOf(endpoint.query, 'query'),
      ...(endpoint.headers ?? []).map(headerOf),
    ],
    ...requestBodyOf(endpoint),
    responses: { [endpoint.status]: success, ...alsoOf(endpoint), default: problem },
  };
}

/** Bearer tokens have no scopes of OpenAPI's own: the names in the list are those of `POST /tokens`. */
function securityOf(endpoint: Declared): Json {
  if (endpoint.access === 'anonymous') return { security: [] };
  const scope = scopeOf(endpoint);
  return scope === null ? {} : { security: [{ session: [] }, { token: [scope] }] };
}

function alsoOf({ also }: Declared): Json {
  if (!also) return {};
  const content = { 'application/json': { schema: schemaOf(also.response, 'output') } };
  return { [also.status]: { description: also.description, content } };
}

function accessText(access: Access): string {
  if (access === 'anonymous') return 'Open to everybody.';
  return access === 'signedIn' ? 'For every signed-in caller.' : `For: ${access.join(', ')}.`;
}

function operationId({ method, path }: Declared): string {
  const words = path.split(/[^A-Za-z]+/).filter(Boolean);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parametersOf(schema: ZodType, place: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: each,
  }));
}

const HEADERS: Record<HeaderName, string> = {
  'If-Match': 'The version that was read, such as "3". 412 when it moved on.',
  'Idempotency-Key': 'The same key and content give the same job again, for 24 hours.',
  'Last-Event-ID': 'The last `id` received: what came after it follows, or `reset`.',
};

function headerOf(name: HeaderName): Json {
  return { name, in: 'header', description: HEADERS[name], schema: { type: 'string' } };
}

/** In the order in which they have to come. */
function partsOf({ parts }: NonNullable<Declared['rawBody']>): Json {
  const file = { type: 'string', contentMediaType: 'application/octet-stream' };
  return {
    type: 'object',
    required: Object.keys(parts),
    properties: Object.fromEntries(
      Object.entries(parts).map(([name, holds]) => [
        name,
        holds === 'job' ? schemaOf(jobBody, 'input') : holds === 'text' ? { type: 'string' } : file,
      ]),
    ),
  };
}

function requestBodyOf(endpoint: Declared): Json {
  if (endpoint.body) {
    return { requestBody: { content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } } } };
  }
  if (!endpoint.rawBody) return {};
  const content: Json = {};
  for (const type of endpoint.rawBody.contentTypes) {
    const isJson = type === 'application/json';
    content[type] = {
      schema: isJson ? schemaOf(endpoint.rawBody.json ?? jobBody, 'input') : partsOf(endpoint.rawBody),
    };
  }
  return { requestBody: { content } };
}

function schemaOf(schema: ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
  }) as Json;
  return json;
}
