/**
 * The record of the command's bundle: the files that it was made of, by which a start decides
 * whether the bundle is current. The record is replaced by renaming and names a complete bundle in
 * a folder of its own, so that concurrent starts see the former bundle or the new one.
 */
'use strict';
const { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const RECORD = 'bundle.json';
/**
 * A file that changed less than this before the build may have changed again within the resolution
 * of the file system's time stamps. Milliseconds.
 */
const TIMESTAMP_RESOLUTION_MS = 50;
const BUILD_TIMEOUT_MS = 30_000;

/**
 * Path of the program in the current bundle; undefined if there is none. A file counts as unchanged
 * if size and time stamps are as recorded, or else if its digest is: after a copy, or a change that
 * was undone.
 */
function findBundle(project, bundles) {
  try {
    const record = JSON.parse(readFileSync(path.join(bundles, RECORD), 'utf8'));
    if (record.project !== project) return undefined;
    const touched = record.files.filter(([file, state]) => stateOf(path.join(project, file)) !== state);
    if (touched.length > 0) {
      const states = touched.map(([file]) => stateOf(path.join(project, file)));
      if (touched.some(([file, , digest]) => digestOf(path.join(project, file)) !== digest)) return undefined;
      touched.forEach((entry, index) => (entry[1] = states[index]));
      trySave(bundles, record);
    }
    return path.join(bundles, record.program);
  } catch {
    return undefined;
  }
}

/**
 * Builds a bundle and returns the path of its program; undefined where none can be built: esbuild
 * is not installed, or the folder cannot be written. It is recorded unless a source changed
 * meanwhile.
 */
function buildBundle(project, bundles) {
  try {
    require.resolve('esbuild');
    mkdirSync(bundles, { recursive: true });
    accessSync(bundles, constants.W_OK);
    const begun = Date.now();
    // A process of its own, because that of esbuild must have ended when this one replaces itself.
    const text = require('node:child_process').execFileSync(
      process.execPath,
      [path.join(__dirname, 'build.ts'), project, bundles],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: BUILD_TIMEOUT_MS },
    );
    const { program, inputs, outputs } = JSON.parse(text);
    const isOlder = (file) => {
      const { mtimeMs, ctimeMs } = statSync(path.join(project, file));
      return Math.max(mtimeMs, ctimeMs) < begun - TIMESTAMP_RESOLUTION_MS;
    };
    if (inputs.every(isOlder)) {
      const files = [...inputs, ...outputs].map((name) => {
        const file = path.join(project, name);
        return [name, stateOf(file), digestOf(file)];
      });
      trySave(bundles, { project, program, files });
    }
    return path.join(bundles, program);
  } catch {
    return undefined;
  }
}

function stateOf(file) {
  const { size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${size} ${mtimeNs} ${ctimeNs}`;
}

function digestOf(file) {
  return require('node:crypto').hash('sha256', readFileSync(file));
}

function trySave(bundles, record) {
  const unfinished = path.join(bundles, `${RECORD}.${process.pid}`);
  try {
    writeFileSync(unfinished, JSON.stringify(record));
    renameSync(unfinished, path.join(bundles, RECORD));
  } catch {
    // The next start decides again.
  }
}

module.exports = { findBundle, buildBundle };
