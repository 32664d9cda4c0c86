// The variables of sign-in by an OpenID Connect provider, and what they mean together. Read by config.ts alone.
import { z } from 'zod';

const ROLES = ['user', 'power_user', 'superadmin'] as const;
export type OidcRole = (typeof ROLES)[number];

const isLoopback = (url: URL): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

const issuer = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = URL.parse(text);
  return url === null || url.protocol === 'https:' || isLoopback(url);
}, 'takes https, and http on this machine alone');

const roleMap = z.string().transform((text, context): { group: string; role: OidcRole }[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const at = part.lastIndexOf('=');
      const group = part.slice(0, at).trim();
      const role = ROLES.find((each) => each === part.slice(at + 1).trim());
      if (at > 0 && group && role) return { group, role };
      context.addIssue({
        code: 'custom',
        message: `takes group=role, the roles being ${ROLES.join(', ')}; "${part}" is none`,
      });
      return z.NEVER;
    }),
);

export const OIDC_VARIABLES = {
  OIDC_ISSUER: issuer.optional().describe('OpenID Connect provider that people sign in by; not set: passwords only'),
  OIDC_CLIENT_ID: z.string().max(500).optional().describe('id under which the provider knows this installation'),
  OIDC_CLIENT_SECRET: z.string().max(2000).optional().describe('secret of that client; not set: a public client'),
  OIDC_NAME: z.string().max(60).default('single sign-on').describe('what the sign-in page calls the provider'),
  OIDC_SCOPE: z.string().default('openid email profile').describe('scopes that are asked of the provider'),
  OIDC_GROUPS_CLAIM: z.string().default('groups').describe('claim that names the groups of a person'),
  OIDC_ROLE_MAP: roleMap.default([]).describe('group=role, comma-separated; of several the highest role counts'),
  OIDC_DEFAULT_ROLE: z.enum(ROLES).optional().describe('role of people in none of these groups; not set: refused'),
};

export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  name: string;
  scope: string;
  groupsClaim: string;
  roleMap: { group: string; role: OidcRole }[];
  defaultRole: OidcRole | undefined;
}

/** Null: nobody signs in that way. @param faults gets what is missing. */
export function oidcOf(value: z.infer<z.ZodObject<typeof OIDC_VARIABLES>>, faults: string[]): OidcConfig | null {
  if (value.OIDC_ISSUER === undefined) return null;
  if (value.OIDC_CLIENT_ID === undefined)
    faults.push('OIDC_CLIENT_ID is not set; with OIDC_ISSUER it takes the id of this installation at the provider');
  if (value.OIDC_ROLE_MAP.length === 0 && value.OIDC_DEFAULT_ROLE === undefined)
    faults.push('OIDC_ROLE_MAP and OIDC_DEFAULT_ROLE are not set; with OIDC_ISSUER one of them must give roles');
  return {
    issuer: value.OIDC_ISSUER,
    clientId: value.OIDC_CLIENT_ID ?? '',
    clientSecret: value.OIDC_CLIENT_SECRET,
    name: value.OIDC_NAME,
    scope: value.OIDC_SCOPE,
    groupsClaim: value.OIDC_GROUPS_CLAIM,
    roleMap: value.OIDC_ROLE_MAP,
    defaultRole: value.OIDC_DEFAULT_ROLE,
  };
}

/** The highest role that the groups give, else the default; null: none. */
export function roleOfGroups(config: OidcConfig, groups: readonly string[]): OidcRole | null {
  const given = config.roleMap.filter(({ group }) => groups.includes(group)).map(({ role }) => role);
  return [...ROLES].reverse().find((role) => given.includes(role)) ?? config.defaultRole ?? null;
}
