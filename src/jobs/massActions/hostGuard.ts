// Where operations may not call: loopback, private and other special addresses, unless the operator allows them.
// The name is resolved here and the connection goes to an address that was checked, so a second answer of the DNS changes nothing.
import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

export class RefusedHostError extends Error {
  readonly code = 'GANTRY_REFUSED_HOST';
}

export interface HostGuard {
  /** What is wrong with an address before anything is resolved; null: nothing. */
  faultOf(url: string): string | null;
  /** For net and tls: gives only addresses that may be called. */
  lookup: LookupFunction;
}

/** Resolves a name; tests hand in their own. */
export type Resolve = typeof resolve;

/** @param allow hosts, addresses and CIDR blocks, as OPERATIONS_ALLOW_HOSTS lists them. */
export function createHostGuard(allow: string[], resolveWith: Resolve = resolve): HostGuard {
  const hosts = new Set(allow.map(plainHost));
  const blocks = allow.flatMap((entry) => (ipaddr.isValidCIDR(entry) ? [ipaddr.parseCIDR(entry)] : []));

  const mayCall = (address: string): boolean => {
    // An IPv4 address in IPv6 clothes is judged as what it is.
    const parsed = ipaddr.process(address);
    if (isPublic(parsed) || hosts.has(parsed.toString()) || hosts.has(address)) return true;
    return blocks.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
  };

  return {
    faultOf: (text) => {
      if (!URL.canParse(text)) return 'is no address';
      const url = new URL(text);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'takes http or https only';
      if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
      const host = plainHost(url.hostname);
      if (hosts.has(host)) return null;
      if (host === 'localhost' || host.endsWith('.localhost')) return refusal(host);
      // Node resolves no literal addresses, so they are judged here; URL has brought all their spellings to one.
      return isIP(host) !== 0 && !mayCall(host) ? refusal(host) : null;
    },
    lookup: (hostname, options, callback) => {
      resolveWith(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '', 0);
        const anything = hosts.has(plainHost(hostname));
        const allowed = addresses.filter(({ address }) => anything || mayCall(address));
        const [first] = allowed;
        if (!first) return callback(new RefusedHostError(refusal(hostname)), '', 0);
        if (options.all) callback(null, allowed);
        else callback(null, first.address, first.family);
      });
    },
  };
}

/** Of IPv6 only what is handed out as global: old forms such as ::127.0.0.1 or fec0:: lead inside. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_IPV6));
}

function refusal(host: string): string {
  return `"${host}" is a private, loopback or special address; the operator may allow it by OPERATIONS_ALLOW_HOSTS`;
}

/** Lower case, without the brackets of IPv6 and the dot of a full name. */
function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}
