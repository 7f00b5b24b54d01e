/**
 * Evaluates identity policies as IAM does, without conditions: an explicit Deny wins, everything
 * that no statement allows is denied.
 */
import { roleStatements } from './cloudformation.ts';
import type { Template } from './packaged-template.ts';

export interface Permission {
  readonly action: string;
  /** ARN. */
  readonly resource: string;
}

/** One action of one Allow statement on one resource pattern. */
export interface Grant extends Permission {
  readonly sid: string;
}

export class RolePolicy {
  readonly grants: readonly Grant[];
  readonly #denied: readonly Permission[];

  /** `values`: the value of each reference of the template, by its name as in `text`. */
  constructor(template: Template, role: string, values: Readonly<Record<string, string>>) {
    const of = (effect: 'Allow' | 'Deny'): Grant[] =>
      roleStatements(template, role)
        .filter((statement) => statement.effect === effect)
        .flatMap(({ sid = '', actions, resources, condition }) => {
          if (Object.keys(condition).length > 0) throw new Error(`Expected no condition in ${role} ${sid}`);
          return actions.flatMap((action) =>
            resources.map((resource) => ({ sid, action, resource: resolve(resource, values) })),
          );
        });
    this.grants = of('Allow');
    this.#denied = of('Deny');
  }

  /** The grants that allow a call; none if it is denied. */
  allowing(needed: Permission): Grant[] {
    if (this.#denied.some((pattern) => covers(pattern, needed))) return [];
    return this.grants.filter((grant) => covers(grant, needed));
  }
}

function covers(pattern: Permission, { action, resource }: Permission): boolean {
  return wildcard(pattern.action.toLowerCase()).test(action.toLowerCase()) && wildcard(pattern.resource).test(resource);
}

/** `*` is any text, `?` any character. */
function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/gu, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}

/** Replaces references, innermost first. */
function resolve(textual: string, values: Readonly<Record<string, string>>): string {
  let resolved = textual;
  for (let before = ''; before !== resolved;) {
    before = resolved;
    resolved = resolved.replace(/<([^<>]+)>/gu, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`Expected a value of ${name} in ${textual}`);
      return value;
    });
  }
  return resolved;
}
