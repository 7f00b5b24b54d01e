import {
  type Complain,
  isPositiveInteger,
  maxDelaySeconds,
  maxMapConcurrency,
  type State,
  stateTypes,
  type StateType,
} from './asl.ts';
import { checkChoices } from './asl-choices.ts';
import { checkCatch, checkRetry } from './asl-errors.ts';
import { checkNullablePath, checkPath, checkResultPath, checkTemplate } from './asl-paths.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const everyState = ['Type', 'Comment'];
const transition = ['Next', 'End'];
const inputOutput = ['InputPath', 'OutputPath'];
const result = ['ResultSelector', 'ResultPath'];
const failure = ['Retry', 'Catch'];

/** The fields that the engine runs as AWS does. Whatever is not here is refused: the engine would ignore it. */
const fieldsOf: Readonly<Record<StateType, readonly string[]>> = {
  Task: ['Resource', 'TimeoutSeconds', 'Parameters', ...inputOutput, ...result, ...failure, ...transition],
  Map: [
    'ItemsPath',
    'ItemSelector',
    'ItemProcessor',
    'MaxConcurrency',
    ...inputOutput,
    ...result,
    ...failure,
    ...transition,
  ],
  Parallel: ['Branches', 'Parameters', ...inputOutput, ...result, ...failure, ...transition],
  Pass: ['Parameters', 'Result', 'ResultPath', ...inputOutput, ...transition],
  Wait: ['Seconds', ...inputOutput, ...transition],
  Choice: ['Choices', 'Default', ...inputOutput],
  Succeed: inputOutput,
  Fail: ['Error', 'Cause', 'ErrorPath', 'CausePath'],
};

/** Why AWS and the engine differ in a field, for those that people reach for. */
const whyNot: Readonly<Record<string, string>> = {
  QueryLanguage: 'the embedded engine knows JSONPath only',
  TimeoutSecondsPath: 'write TimeoutSeconds; the embedded engine times invocations from where they begin',
  HeartbeatSeconds: 'the embedded engine knows no heartbeats',
  HeartbeatSecondsPath: 'the embedded engine knows no heartbeats',
  Iterator: 'write ItemProcessor',
  MaxConcurrencyPath: 'write MaxConcurrency',
  Timestamp: 'write Seconds; the engine does not wait beyond 24 days',
  SecondsPath: 'write Seconds; the engine does not wait beyond 24 days',
  TimestampPath: 'write Seconds; the engine does not wait beyond 24 days',
};

const ignored = 'the embedded engine ignores this field, AWS does not';

/** Checks a whole definition; every complaint names the state (`''` for the state machine itself) and the field. */
export function checkDefinition(
  definition: JsonObject,
  complain: (state: string, field: string, why: string) => void,
): void {
  checkFields(definition, ['Comment', 'Version', 'StartAt', 'States', 'TimeoutSeconds'], (field, why) => {
    complain('', field, why);
  });
  const timeout = definition['TimeoutSeconds'];
  if (timeout !== undefined && (!isPositiveInteger(timeout) || timeout >= maxDelaySeconds)) {
    complain('', 'TimeoutSeconds', `Expected a positive integer below ${maxDelaySeconds}`);
  }
  checkStates(definition, '', new Set(), complain);
}

function checkStates(
  region: JsonObject,
  owner: string,
  names: Set<string>,
  complain: (state: string, field: string, why: string) => void,
): void {
  const states = region['States'];
  if (!isJsonObject(states) || typeof region['StartAt'] !== 'string') {
    complain(owner, 'States', 'Expected StartAt and States');
    return;
  }
  for (const [name, state] of Object.entries(states)) {
    const about: Complain = (field, why) => {
      complain(name, field, why);
    };
    if (names.has(name)) about('name', 'the name is used twice; the engine tells states apart by name');
    names.add(name);
    if (!isJsonObject(state) || !stateTypes.some((type) => type === state['Type'])) {
      about('Type', `Expected one of ${stateTypes.join(', ')}`);
      continue;
    }
    checkState(state as State, about);
    for (const inner of innerRegions(state)) checkStates(inner, name, names, complain);
  }
}

function innerRegions(state: JsonObject): JsonObject[] {
  const processor = state['Type'] === 'Map' ? [state['ItemProcessor'] ?? null] : [];
  const branches = state['Type'] === 'Parallel' && Array.isArray(state['Branches']) ? state['Branches'] : [];
  return [...processor, ...branches].map((region) => (isJsonObject(region) ? region : {}));
}

function checkState(state: State, complain: Complain): void {
  checkFields(state, [...everyState, ...fieldsOf[state.Type]], complain);
  checkNullablePath('InputPath', state['InputPath'], complain);
  checkNullablePath('OutputPath', state['OutputPath'], complain);
  checkResultPath('ResultPath', state['ResultPath'], complain);
  checkTemplate('Parameters', state['Type'] === 'Map' ? undefined : state['Parameters'], false, complain);
  checkTemplate('ResultSelector', state['ResultSelector'], false, complain);
  checkRetry(state['Retry'], complain);
  checkCatch(state['Catch'], complain);
  if (state.Type === 'Task') checkTask(state, complain);
  if (state.Type === 'Map') checkMap(state, complain);
  if (state.Type === 'Parallel') checkBranches(state['Branches'], complain);
  if (state.Type === 'Choice') checkChoices(state['Choices'], complain);
  if (state.Type === 'Fail') checkFail(state, complain);
  if (state.Type === 'Pass') checkPass(state, complain);
  if (state.Type === 'Wait') checkSeconds('Seconds', state['Seconds'], complain);
}

function checkFields(value: JsonObject, known: readonly string[], complain: Complain): void {
  for (const field of Object.keys(value)) {
    if (field === 'QueryLanguage' && value[field] === 'JSONPath') continue;
    if (!known.includes(field)) complain(field, whyNot[field] ?? ignored);
  }
}

/** Without TimeoutSeconds the engine waits 60 seconds and AWS for ever. */
function checkTask(task: State, complain: Complain): void {
  checkSeconds('TimeoutSeconds', task['TimeoutSeconds'], complain);
}

function checkSeconds(field: string, value: Json | undefined, complain: Complain): void {
  if (!isPositiveInteger(value) || value >= maxDelaySeconds) {
    complain(
      field,
      `Expected a positive integer below ${maxDelaySeconds} but received ${JSON.stringify(value ?? null)}`,
    );
  }
}

function checkMap(map: State, complain: Complain): void {
  checkPath('ItemsPath', map['ItemsPath'], complain);
  checkTemplate('ItemSelector', map['ItemSelector'], true, complain);
  const concurrency = map['MaxConcurrency'] ?? 0;
  if (typeof concurrency !== 'number' || !Number.isInteger(concurrency) || concurrency < 0) {
    complain('MaxConcurrency', 'Expected an integer of 0 or more');
  } else if (concurrency > maxMapConcurrency) {
    complain('MaxConcurrency', `Expected at most ${maxMapConcurrency}: AWS runs no more of an inline Map at once`);
  }
  const processor = map['ItemProcessor'];
  if (!isJsonObject(processor)) return;
  checkFields(processor, ['Comment', 'ProcessorConfig', 'StartAt', 'States'], (field, why) => {
    complain(`ItemProcessor.${field}`, why);
  });
  const mode = isJsonObject(processor['ProcessorConfig']) ? processor['ProcessorConfig']['Mode'] : 'INLINE';
  if (mode !== 'INLINE') complain('ItemProcessor.ProcessorConfig.Mode', 'the embedded engine runs INLINE Maps only');
}

function checkBranches(branches: Json | undefined, complain: Complain): void {
  if (!Array.isArray(branches)) {
    complain('Branches', 'Expected a list');
    return;
  }
  branches.forEach((branch, index) => {
    if (!isJsonObject(branch)) return;
    checkFields(branch, ['Comment', 'StartAt', 'States'], (field, why) => {
      complain(`Branches[${index}].${field}`, why);
    });
  });
}

/** Where AWS reports no error or cause, the engine makes one up. */
function checkFail(fail: State, complain: Complain): void {
  for (const field of ['Error', 'Cause']) {
    const path = fail[`${field}Path`];
    if (path === undefined && typeof fail[field] !== 'string') complain(field, 'Expected text, or a path to text');
    if (typeof path === 'string' && path.startsWith('States.')) {
      complain(`${field}Path`, 'the embedded engine evaluates no intrinsic functions here');
    } else checkPath(`${field}Path`, path, complain);
  }
}

function checkPass(pass: State, complain: Complain): void {
  const { Result: literal } = pass;
  if (literal === undefined) return;
  if (literal === null || literal === false || literal === 0 || literal === '') {
    complain('Result', `the engine passes the input on instead of ${JSON.stringify(literal)}`);
  }
  if (pass['Parameters'] !== undefined) complain('Parameters', 'write Parameters or Result, not both');
}
