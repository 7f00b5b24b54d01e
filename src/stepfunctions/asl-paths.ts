import { type Complain } from './asl.ts';
import { isJsonObject, type Json } from './json.ts';

/**
 * `$.a.b` or, of the result of a Parallel, `$[0].a`: the paths that jsonpath-plus and Step Functions read alike. (`length` of
 * an array exists for one only.)
 */
const plainPath = /^\$(?=[.[])(?:\[(?:0|[1-9]\d*)\])?(?:\.(?!length(?:\.|$))[A-Za-z_][A-Za-z0-9_]*)*$/u;
const contextPath =
  /^\$\$\.(?:Execution\.(?:Id|Name|StartTime|RedriveCount|Input(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|StateMachine\.(?:Id|Name))$/u;
const mapItemPath = /^\$\$\.Map\.Item\.(?:Index|Value(?:\.[A-Za-z_][A-Za-z0-9_]*)*)$/u;

/** Their results carry no text, from which the engine would drop every backslash. */
const intrinsics = ['States.Array', 'States.ArrayLength', 'States.UUID'];
const intrinsicCall = /^(?<name>States\.[A-Za-z0-9]+)\((?<args>.*)\)$/su;
const simpleArgument = /^(?:\$(?:\.[A-Za-z_][A-Za-z0-9_]*)*|'[^'\\(){},]*'|-?\d+|true|false|null)$/u;

/** A path field: a plain path into the state's own input or result. */
export function checkPath(field: string, value: Json | undefined, complain: Complain): void {
  if (value === undefined) return;
  if (value === '$') {
    complain(field, 'leave the default "$" out; the engine fails on it where the value is null, false, 0 or ""');
  } else if (typeof value !== 'string' || !plainPath.test(value)) {
    complain(field, `Expected a plain path like $.a.b but received ${JSON.stringify(value)}`);
  }
}

/** InputPath and OutputPath, which may also be null. */
export function checkNullablePath(field: string, value: Json | undefined, complain: Complain): void {
  if (value !== null) checkPath(field, value, complain);
}

/** ResultPath: null or `$.name`. Deeper, the engine overwrites what is not an object where AWS fails. */
export function checkResultPath(field: string, value: Json | undefined, complain: Complain): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'string' || !/^\$\.[A-Za-z_][A-Za-z0-9_]*$/u.test(value)) {
    complain(field, `Expected null or one name below the input, like $.result, but received ${JSON.stringify(value)}`);
  }
}

/** Parameters, ResultSelector and ItemSelector: every `name.$` at any depth. */
export function checkTemplate(
  field: string,
  value: Json | undefined,
  inItemSelector: boolean,
  complain: Complain,
): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      checkTemplate(`${field}[${index}]`, item, inItemSelector, complain);
    });
  } else if (isJsonObject(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const at = `${field}.${key}`;
      if (key.slice(0, -2).includes('.$')) complain(at, 'a name may hold ".$" at its end only');
      if (key.endsWith('.$')) checkDynamic(at, inner, inItemSelector, complain);
      else checkTemplate(at, inner, inItemSelector, complain);
    }
  }
}

function checkDynamic(field: string, value: Json, inItemSelector: boolean, complain: Complain): void {
  if (typeof value !== 'string') complain(field, 'Expected a path or an intrinsic function');
  else if (value.startsWith('$$')) checkContextPath(field, value, inItemSelector, complain);
  else if (value.startsWith('$')) {
    if (value !== '$' && !plainPath.test(value))
      complain(field, `Expected a plain path like $.a.b but received ${value}`);
  } else checkIntrinsic(field, value, complain);
}

function checkContextPath(field: string, path: string, inItemSelector: boolean, complain: Complain): void {
  if (path.startsWith('$$.Map.') && !inItemSelector) {
    complain(field, `${path} exists in a Map's ItemSelector only; hand it on in the item`);
  } else if (!contextPath.test(path) && !mapItemPath.test(path)) {
    complain(
      field,
      `the embedded engine has no ${path}; it knows $$.Execution, $$.StateMachine and $$.Map.Item fields`,
    );
  }
}

function checkIntrinsic(field: string, call: string, complain: Complain): void {
  const match = intrinsicCall.exec(call)?.groups;
  if (!match) {
    complain(field, `Expected a path or an intrinsic function but received ${JSON.stringify(call)}`);
  } else if (!intrinsics.includes(match['name'] ?? '')) {
    complain(
      field,
      `the embedded engine computes ${String(match['name'])} otherwise than AWS; it may use ${intrinsics.join(', ')}`,
    );
  } else if (!(match['args'] ?? '').split(',').every((text) => text === '' || simpleArgument.test(text.trim()))) {
    complain(field, 'Expected plain paths, integers or simple text as arguments of an intrinsic function');
  }
}
