// The variables of sign-in by a provider: told together when they do not fit, and the role that groups give.
import { loadConfig } from '../../src/config/config';
import { roleOfGroups, type OidcConfig } from '../../src/config/oidc';

const faultsOf = (env: Record<string, string>): string => {
  try {
    loadConfig(env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const oidcOf = (env: Record<string, string>): OidcConfig => {
  const whole = { OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'gantry', ...env };
  return loadConfig(whole).oidc as OidcConfig;
};

it('is off without an issuer', () => {
  expect(loadConfig({ OIDC_CLIENT_ID: 'left over' }).oidc).toBeNull();
});

it('names what is missing, all at once', () => {
  const faults = faultsOf({ OIDC_ISSUER: 'https://id.example' }).split('\n');
  expect(faults).toHaveLength(2);
  expect(faults[0]).toContain('OIDC_CLIENT_ID');
  expect(faults[1]).toContain('OIDC_ROLE_MAP');
});

it('takes an issuer without TLS on this machine only', () => {
  const rest = { OIDC_CLIENT_ID: 'gantry', OIDC_DEFAULT_ROLE: 'user' };
  for (const issuer of ['http://id.example', 'http://10.0.0.1:8080', 'http://127.0.0.1.evil.example', 'ldap://id'])
    expect(faultsOf({ OIDC_ISSUER: issuer, ...rest })).toContain('OIDC_ISSUER');
  for (const issuer of ['http://127.0.0.1:8080', 'http://localhost:8080/realms/x', 'https://id.example'])
    expect(faultsOf({ OIDC_ISSUER: issuer, ...rest })).toBe('');
});

it.each(['staff', 'staff=', '=user', 'staff=root', 'staff=user,other=admin'])('refuses the role map %j', (map) => {
  const faults = faultsOf({ OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'gantry', OIDC_ROLE_MAP: map });
  expect(faults).toContain('OIDC_ROLE_MAP');
});

it('gives the highest role of several groups, the default to others, and none without one', () => {
  const config = oidcOf({ OIDC_ROLE_MAP: 'a=user, b c = power_user,d=e=superadmin' });
  expect(roleOfGroups(config, ['a', 'd=e', 'b c'])).toBe('superadmin');
  expect(roleOfGroups(config, ['b c', 'a'])).toBe('power_user');
  expect(roleOfGroups(config, ['A', 'b'])).toBeNull();
  expect(roleOfGroups(oidcOf({ OIDC_ROLE_MAP: 'a=power_user', OIDC_DEFAULT_ROLE: 'user' }), [])).toBe('user');
});
