/**
 * Checks a template against the resource specification of AWS (types, properties, JSON types) and
 * against itself (references, conditions, cycles), offline. Every function returns one line per
 * fault.
 */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, SpecDatabase } from '@aws-cdk/service-spec-types';
import { z } from 'zod';
import type { Template } from './packaged-template.ts';

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ Ref: … }` and `{ Fn::…: … }`: CloudFormation resolves them to values unknown here. */
function isIntrinsic(value: unknown): value is Json {
  if (!isObject(value)) return false;
  const [name, ...others] = Object.keys(value);
  return name !== undefined && others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
}

let loaded: SpecDatabase | undefined;
function awsSpec(): SpecDatabase {
  loaded ??= loadAwsServiceSpecSync();
  return loaded;
}

/** Types, properties and JSON types of every resource. */
export function checkAgainstSpec(template: Template): string[] {
  const spec = awsSpec();
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
    const [known] = spec.lookup('resource', 'cloudFormationType', 'equals', Type);
    return known ? checkProperties(spec, known.properties, Properties, id) : [`${id}: unknown type ${Type}`];
  });
}

function checkProperties(
  spec: SpecDatabase,
  known: Readonly<Record<string, Property>>,
  value: unknown,
  path: string,
): string[] {
  if (!isObject(value)) return [`${path}: expected an object`];
  const missing = Object.entries(known)
    .filter(([name, property]) => property.required === true && !(name in value))
    .map(([name]) => `${path}: missing ${name}`);
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const property = known[name];
    return property ? checkType(spec, property.type, inner, `${path}.${name}`) : [`${path}: unknown property ${name}`];
  });
  return [...missing, ...wrong];
}

function checkType(spec: SpecDatabase, type: PropertyType, value: unknown, path: string): string[] {
  if (isIntrinsic(value)) {
    const branches = value['Fn::If'];
    return Array.isArray(branches) ? branches.slice(1).flatMap((branch) => checkType(spec, type, branch, path)) : [];
  }
  const expect = (right: boolean): string[] =>
    right ? [] : [`${path}: expected ${type.type} but received ${JSON.stringify(value)}`];
  switch (type.type) {
    case 'string':
      return expect(typeof value === 'string' && (type.allowedValues?.includes(value) ?? true));
    case 'date-time':
      return expect(typeof value === 'string');
    case 'integer':
      return expect(Number.isInteger(value));
    case 'number':
      return expect(typeof value === 'number');
    case 'boolean':
      return expect(typeof value === 'boolean');
    case 'null':
      return expect(value === null);
    case 'json':
      return expect(isObject(value) || typeof value === 'string');
    case 'tag':
      return expect(isObject(value) && 'Key' in value && 'Value' in value);
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => checkType(spec, type.element, item, `${path}[${index}]`))
        : expect(false);
    case 'map':
      return isObject(value)
        ? Object.entries(value).flatMap(([name, item]) => checkType(spec, type.element, item, `${path}.${name}`))
        : expect(false);
    case 'ref':
      return checkProperties(spec, spec.get('typeDefinition', type.reference).properties, value, path);
    case 'union': {
      const attempts = type.types.map((option) => checkType(spec, option, value, path));
      return attempts.some((faults) => faults.length === 0) ? [] : (attempts[0] ?? []);
    }
  }
}

/**
 * A reference to a resource, a parameter or a pseudo parameter, and the conditions under which it
 * is evaluated.
 */
interface Mention {
  readonly from: string;
  readonly target: string;
  readonly attribute?: string | undefined;
  readonly under: readonly string[];
}

/**
 * Every Ref, GetAtt, Sub, DependsOn and condition names something that exists whenever it is
 * evaluated.
 */
export function checkReferences(template: Template): { faults: string[]; checked: number } {
  const spec = awsSpec();
  const found = mentions(template);
  const faults = found.flatMap(({ from, target, attribute, under }): string[] => {
    if (target.startsWith('AWS::')) return [];
    if (target in template.Parameters && attribute === undefined) return [];
    const resource = template.Resources[target];
    if (!resource) return [`${from}: no ${target}`];
    if (resource.Condition !== undefined && !under.includes(resource.Condition)) {
      return [`${from}: ${target} exists only if ${resource.Condition}`];
    }
    if (attribute === undefined) return [];
    const [known] = spec.lookup('resource', 'cloudFormationType', 'equals', resource.Type);
    return known && attribute in known.attributes ? [] : [`${from}: ${target} has no attribute ${attribute}`];
  });
  return { faults: [...faults, ...checkConditions(template)], checked: found.length };
}

function checkConditions(template: Template): string[] {
  const used = JSON.stringify([template.Resources, template.Outputs]).matchAll(
    /"(?:Fn::If":\[|Condition":)"([^"]+)"/gu,
  );
  return [...used]
    .map(([, name]) => name ?? '')
    .filter((name) => !(name in template.Conditions))
    .map((name) => `no condition ${name}`);
}

/** The resources of a circular dependency; undefined when there is none. */
export function findCycle(template: Template): string[] | undefined {
  const needs = new Map<string, Set<string>>(Object.keys(template.Resources).map((id) => [id, new Set()]));
  for (const { from, target } of mentions(template)) if (needs.has(target)) needs.get(from)?.add(target);
  const settled = new Set<string>();
  const visit = (id: string, trail: string[]): string[] | undefined => {
    if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
    if (settled.has(id)) return undefined;
    for (const next of needs.get(id) ?? []) {
      const cycle = visit(next, [...trail, id]);
      if (cycle) return cycle;
    }
    settled.add(id);
    return undefined;
  };
  for (const id of needs.keys()) {
    const cycle = visit(id, []);
    if (cycle) return cycle;
  }
  return undefined;
}

const OutputCondition = z.looseObject({ Condition: z.string().optional() });

function under(condition: string | undefined): string[] {
  return condition === undefined ? [] : [condition];
}

function mentions(template: Template): Mention[] {
  const ofResources = Object.entries(template.Resources).flatMap(([id, { Properties, Condition, DependsOn }]) => [
    ...mentionsIn(Properties, id, under(Condition)),
    ...[DependsOn ?? []].flat().map((target) => ({ from: id, target, under: under(Condition) })),
  ]);
  const ofOutputs = Object.values(template.Outputs).flatMap((output) => {
    const { Condition } = OutputCondition.parse(output);
    return mentionsIn(output, 'Outputs', under(Condition));
  });
  return [...ofResources, ...ofOutputs, ...mentionsIn(template.Conditions, 'Conditions', [])];
}

function mentionsIn(value: unknown, from: string, under: readonly string[]): Mention[] {
  if (Array.isArray(value)) return value.flatMap((item) => mentionsIn(item, from, under));
  if (!isObject(value)) return [];
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': sub, 'Fn::If': choice } = value;
  if (typeof ref === 'string') return [{ from, target: ref, under }];
  if (Array.isArray(attribute)) return [mention(attribute.join('.'), from, under)];
  if (sub !== undefined) {
    const [pattern, variables] = Array.isArray(sub) ? (sub as unknown[]) : [sub, {}];
    const names = String(pattern).matchAll(/\$\{([^!}]+)\}/gu);
    return [
      ...[...names]
        .map(([, name]) => name ?? '')
        .filter((name) => !(isObject(variables) && name in variables))
        .map((name) => mention(name, from, under)),
      ...mentionsIn(variables, from, under),
    ];
  }
  if (Array.isArray(choice)) {
    const [condition, yes, no] = choice as unknown[];
    return [...mentionsIn(yes, from, [...under, String(condition)]), ...mentionsIn(no, from, under)];
  }
  return Object.values(value).flatMap((inner) => mentionsIn(inner, from, under));
}

/** `Name` or `Name.Attribute`. */
function mention(name: string, from: string, under: readonly string[]): Mention {
  const dot = name.indexOf('.');
  return dot < 0
    ? { from, target: name, under }
    : { from, target: name.slice(0, dot), attribute: name.slice(dot + 1), under };
}
