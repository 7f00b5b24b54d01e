/**
 * Small readers for a packaged template: values as text, resources by type, the statements of a
 * role.
 */
import { z } from 'zod';
import type { Resource, Template } from './packaged-template.ts';

const Reference = z.strictObject({ Ref: z.string() });
const Attribute = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const Substitution = z.strictObject({
  'Fn::Sub': z.union([z.string(), z.tuple([z.string(), z.record(z.string(), z.unknown())])]),
});
const Choice = z.strictObject({ 'Fn::If': z.tuple([z.string(), z.unknown(), z.unknown()]) });
const Joined = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });

/**
 * A value as text, references in angle brackets: `<WorkBucket.Arn>/*`. Two values with the same
 * text are the same value. `given` decides conditions; an undecided one is written `<A|B>`.
 */
export function text(value: unknown, given: Readonly<Record<string, boolean>> = {}): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const reference = Reference.safeParse(value);
  if (reference.success) return `<${reference.data.Ref}>`;
  const attribute = Attribute.safeParse(value);
  if (attribute.success) return `<${attribute.data['Fn::GetAtt'].join('.')}>`;
  const substitution = Substitution.safeParse(value);
  if (substitution.success) {
    const sub = substitution.data['Fn::Sub'];
    const [pattern, variables] = typeof sub === 'string' ? [sub, {}] : sub;
    return pattern.replace(/\$\{([^!}]+)\}/gu, (_, name: string) =>
      name in variables ? text(variables[name], given) : `<${name}>`,
    );
  }
  const choice = Choice.safeParse(value);
  if (choice.success) {
    const [condition, yes, no] = choice.data['Fn::If'];
    const decided = given[condition];
    return decided === undefined ? `<${text(yes)}|${text(no)}>` : text(decided ? yes : no, given);
  }
  const joined = Joined.safeParse(value);
  if (joined.success) {
    const [separator, parts] = joined.data['Fn::Join'];
    return parts.map((part) => text(part, given)).join(separator);
  }
  throw new Error(`Expected a value that reads as text but received ${JSON.stringify(value)}`);
}

/**
 * The resources of one type, by logical id. Throws when there are none, so that no check passes
 * vacuously.
 */
export function resourcesOfType(template: Template, type: string): [id: string, resource: Resource][] {
  const found = Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
  if (found.length === 0) throw new Error(`Expected resources of type ${type} but received none`);
  return found;
}

export function resource(template: Template, id: string): Resource {
  const found = template.Resources[id];
  if (!found) throw new Error(`Expected a resource ${id} but received none`);
  return found;
}

const oneOrMore = z.union([z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())]);
const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.unknown().optional(),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
const OptionalStatement = z.strictObject({
  'Fn::If': z.tuple([z.string(), Statement, z.strictObject({ Ref: z.literal('AWS::NoValue') })]),
});
const Policy = z.object({
  Version: z.string().optional(),
  Statement: z.array(z.union([Statement, OptionalStatement])).min(1),
});

export interface PolicyStatement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principal: unknown;
  readonly actions: readonly string[];
  /** As text. */
  readonly resources: readonly string[];
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The statements of a policy. Those that depend on a condition are included if it is `given`. */
export function statements(policy: unknown, given: readonly string[] = []): PolicyStatement[] {
  const included = Policy.parse(policy).Statement.flatMap((statement) => {
    if (!('Fn::If' in statement)) return [statement];
    const [condition, inner] = statement['Fn::If'];
    return given.includes(condition) ? [inner] : [];
  });
  return included.map((statement) => ({
    sid: statement.Sid,
    effect: statement.Effect,
    principal: statement.Principal,
    actions: [statement.Action].flat(),
    resources: (Array.isArray(statement.Resource) ? statement.Resource : [statement.Resource])
      .filter((value) => value !== undefined)
      .map((value) => text(value)),
    condition: statement.Condition ?? {},
  }));
}

const Role = z.strictObject({
  AssumeRolePolicyDocument: z.unknown(),
  Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument: z.unknown() })).min(1),
});

/**
 * Every statement of a role. Throws when the role has managed policies: their contents are unknown
 * here.
 */
export function roleStatements(template: Template, id: string): PolicyStatement[] {
  const role = Role.parse(resource(template, id).Properties);
  return role.Policies.flatMap(({ PolicyDocument }) => statements(PolicyDocument));
}

export function trustStatements(template: Template, id: string): PolicyStatement[] {
  return statements(Role.parse(resource(template, id).Properties).AssumeRolePolicyDocument);
}

const Function = z.looseObject({
  Handler: z.string(),
  Role: z.unknown(),
  Timeout: z.int(),
  Runtime: z.string(),
  Architectures: z.array(z.string()),
  Layers: z.array(z.unknown()).default([]),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  TracingConfig: z.object({ Mode: z.string() }),
});

export interface LambdaFunction {
  /** As in serverless.yml: `renderBlock`. */
  readonly key: string;
  readonly logicalId: string;
  /** Logical id of its role. */
  readonly role: string;
  readonly properties: z.infer<typeof Function>;
}

export function lambdaFunctions(template: Template): LambdaFunction[] {
  return resourcesOfType(template, 'AWS::Lambda::Function').map(([logicalId, { Properties }]) => {
    const properties = Function.parse(Properties);
    const name = logicalId.replace(/LambdaFunction$/u, '');
    return {
      key: name.charAt(0).toLowerCase() + name.slice(1),
      logicalId,
      role: text(properties.Role).replace(/^<(.*)\.Arn>$/u, '$1'),
      properties,
    };
  });
}
