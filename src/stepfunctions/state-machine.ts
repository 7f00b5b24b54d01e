import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type Validate from 'asl-validator';
import { parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';
import { type Region, regionsOf } from './asl.ts';
import { checkDefinition } from './asl-rules.ts';
import type { CheckedDefinitions } from './checked-definitions.ts';
import { functionArn, type FunctionTable } from './functions.ts';
import { isJsonObject, jsonCopy, type Json, type JsonObject } from './json.ts';

/** A definition that the embedded engine runs as AWS would. */
export interface LocalStateMachine {
  /** With the functions' ARNs in place of `Fn::GetAtt`. */
  readonly definition: Region & { readonly TimeoutSeconds?: number };
  /** Function key of every Task state, by state name. */
  readonly tasks: ReadonlyMap<string, string>;
}

/**
 * Reads an ASL file (YAML or JSON) and binds its tasks to functions. Throws a UsageError that lists, by state and field,
 * everything that the embedded engine cannot run or would run differently from AWS. What `checked` has is valid ASL.
 */
export function readStateMachine(
  file: string,
  functions: FunctionTable,
  checked?: CheckedDefinitions,
): LocalStateMachine {
  const definition = parseDefinition(file);
  const problems: string[] = [];
  const complain = (state: string, field: string, why: string): void => {
    problems.push(`${state === '' ? 'state machine' : `state ${state}`}, ${field}: ${why}`);
  };
  checkDefinition(definition, complain);
  refuseAny(file, problems);
  const tasks = new Map<string, string>();
  bindTasks(definition as unknown as Region, functions, tasks, complain);
  refuseAny(file, problems);
  if (!checked?.has(definition)) {
    validateAsl(file, definition);
    checked?.add(definition);
  }
  return { definition: definition as unknown as LocalStateMachine['definition'], tasks };
}

function validateAsl(file: string, definition: JsonObject): void {
  // Loaded only when it is needed.
  const validate = createRequire(import.meta.url)('asl-validator') as typeof Validate;
  const verdict = validate(jsonCopy(definition) as JsonObject, { checkPaths: true, checkArn: true });
  if (!verdict.isValid) refuseAny(file, [verdict.errorsText('\n  ')]);
}

function refuseAny(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new UsageError(
    `Expected ${basename(file)} to run alike on AWS and on the embedded engine:\n  ${problems.join('\n  ')}`,
  );
}

function parseDefinition(file: string): JsonObject {
  const document = parseDocument(readFileSync(file, 'utf8'), { merge: true });
  const [problem] = document.errors;
  if (problem) throw new UsageError(`Expected YAML in ${basename(file)}: ${problem.message}`);
  const definition = jsonCopy(document.toJS());
  if (!isJsonObject(definition)) throw new UsageError(`Expected a state machine in ${basename(file)}`);
  return definition;
}

/** Writes the ARN of each task's function into the definition. */
function bindTasks(
  region: Region,
  functions: FunctionTable,
  tasks: Map<string, string>,
  complain: (state: string, field: string, why: string) => void,
): void {
  for (const [name, state] of Object.entries(region.States)) {
    if (state.Type === 'Task') {
      const key = functionOf(state['Resource'] ?? null, functions, (why) => {
        complain(name, 'Resource', why);
      });
      if (key !== undefined) {
        tasks.set(name, key);
        state['Resource'] = functionArn(key);
      }
    }
    for (const inner of regionsOf(state)) bindTasks(inner, functions, tasks, complain);
  }
}

const lambdaArn = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:(?<name>[A-Za-z0-9_-]+)(?<qualifier>:.+)?$/u;

function functionOf(resource: Json, functions: FunctionTable, complain: (why: string) => void): string | undefined {
  const getAtt = isJsonObject(resource) ? resource['Fn::GetAtt'] : undefined;
  const [logicalId, attribute] = Array.isArray(getAtt) ? getAtt : [];
  if (typeof logicalId === 'string' && attribute === 'Arn') {
    const bound = functions.byLogicalId.get(logicalId);
    if (!bound) complain(`no function of the service has the logical id ${logicalId}`);
    return bound?.key;
  }
  const match = typeof resource === 'string' ? lambdaArn.exec(resource)?.groups : undefined;
  if (!match) {
    complain(
      `Expected a Lambda function, as Fn::GetAtt: [NameLambdaFunction, Arn], but received ${JSON.stringify(resource)}`,
    );
    return undefined;
  }
  if (match['qualifier']) complain('Expected no version or alias: a redrive must get the repaired code');
  const bound = functions.byName.get(match['name'] ?? '');
  if (!bound) complain(`no function of the service is called ${String(match['name'])}`);
  return bound?.key;
}
