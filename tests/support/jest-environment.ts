/**
 * jest's Node environment with an ordinary global object. jest puts its own global behind a Proxy
 * and an interceptor of node:vm, so that every use of `Math` or `Uint8Array` in a test file, and in
 * the code under test, is a call: loops over pixels took two to three times as long.
 * `vm.constants.DONT_CONTEXTIFY` makes a context without either.
 */
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

const { createContext } = vm;

export default class OrdinaryGlobalEnvironment extends TestEnvironment {
  constructor(...parameters: ConstructorParameters<typeof TestEnvironment>) {
    // The constructor calls createContext once, with the Proxy; there is no option for it.
    Object.assign(vm, { createContext: () => createContext(vm.constants.DONT_CONTEXTIFY) });
    try {
      super(...parameters);
    } finally {
      Object.assign(vm, { createContext });
    }
  }
}
