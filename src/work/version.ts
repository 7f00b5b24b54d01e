/** Of this project, as package.json says it. Written here because bundles carry no package.json. */
export const VERSION = '0.1.0';
