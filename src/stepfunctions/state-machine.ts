import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';
import {
  type FunctionReference,
  type RegionDefinition,
  regionsOf,
  type StateMachineDefinition,
  stateMachineDefinition,
} from './asl/definition.ts';
import { reporter, schemaProblems, structuralProblems } from './asl/problems.ts';
import type { FunctionResolver } from './function-host.ts';
import { account, region as awsRegion } from './arns.ts';
import { isJsonObject, jsonCopy, type Json, type JsonObject } from './json.ts';

/** A Task's function. */
export interface BoundFunction {
  readonly key: string;
  readonly arn: string;
}

/** A definition that runs on the embedded engine as on AWS. */
export interface LocalStateMachine {
  readonly definition: StateMachineDefinition;
  /** The definition as JSON, with the functions' ARNs in place of `Fn::GetAtt`. */
  readonly text: string;
  /** By the names of the Task states, which are unique in a state machine. */
  readonly functions: ReadonlyMap<string, BoundFunction>;
}

/**
 * Reads an ASL file (YAML or JSON) and binds its tasks to functions. Throws a UsageError that
 * lists, by state and field, all constructs that the embedded engine cannot run as AWS does.
 */
export function readStateMachine(file: string, resolver: FunctionResolver): LocalStateMachine {
  const source = parseDefinition(file);
  const parsed = stateMachineDefinition.safeParse(source);
  if (!parsed.success) throw refusal(file, schemaProblems(parsed.error));
  const problems = structuralProblems(parsed.data);
  const functions = new Map<string, BoundFunction>();
  bindTasks(parsed.data, resolver, functions, reporter(problems));
  if (problems.length > 0) throw refusal(file, problems);
  return { definition: parsed.data, text: JSON.stringify(withArns(source, resolver)), functions };
}

function refusal(file: string, problems: readonly string[]): UsageError {
  const list = problems.join('\n  ');
  return new UsageError(`Expected ${basename(file)} to run alike on AWS and on the embedded engine:\n  ${list}`);
}

function parseDefinition(file: string): JsonObject {
  const document = parseDocument(readFileSync(file, 'utf8'), { merge: true });
  const [problem] = document.errors;
  if (problem) throw new UsageError(`Expected YAML in ${basename(file)}: ${problem.message}`);
  const definition = jsonCopy(document.toJS());
  if (!isJsonObject(definition)) throw new UsageError(`Expected a state machine in ${basename(file)}`);
  return definition;
}

function bindTasks(
  region: RegionDefinition,
  resolver: FunctionResolver,
  functions: Map<string, BoundFunction>,
  report: ReturnType<typeof reporter>,
): void {
  for (const [name, state] of Object.entries(region.States)) {
    if (state.Type === 'Task') {
      const key = resolve(state.Resource, resolver);
      if ('qualifier' in state.Resource && state.Resource.qualifier !== undefined) {
        report(name, 'Resource', 'Expected no version or alias: a redrive must get the repaired code');
      }
      if (key !== undefined) functions.set(name, { key, arn: functionArn(key) });
      else report(name, 'Resource', `Expected a function of the service but received ${nameOf(state.Resource)}`);
    }
    for (const inner of regionsOf(state)) bindTasks(inner, resolver, functions, report);
  }
}

function resolve(reference: FunctionReference, resolver: FunctionResolver): string | undefined {
  return 'logicalId' in reference ? resolver.byLogicalId(reference.logicalId) : resolver.byName(reference.name);
}

function nameOf(reference: FunctionReference): string {
  return 'logicalId' in reference ? reference.logicalId : reference.name;
}

/** ARN of a function by its key, for display: the embedded engine calls functions by key. */
function functionArn(key: string): string {
  return `arn:aws:lambda:${awsRegion}:${account}:function:${key}`;
}

/** A copy of a valid definition with ARNs as the Resources of its tasks. */
function withArns(value: Json, resolver: FunctionResolver): Json {
  if (Array.isArray(value)) return value.map((item) => withArns(item, resolver));
  if (!isJsonObject(value)) return value;
  const { Type: type, Resource: resource } = value;
  const getAtt = type === 'Task' && isJsonObject(resource) ? resource['Fn::GetAtt'] : undefined;
  const [logicalId] = Array.isArray(getAtt) ? getAtt : [];
  const key = typeof logicalId === 'string' ? resolver.byLogicalId(logicalId) : undefined;
  const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withArns(inner, resolver)]));
  return key === undefined ? copy : { ...copy, Resource: functionArn(key) };
}
