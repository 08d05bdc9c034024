// How the EkkoJS runtime finds modules: relative ones without an extension, those
// of the project by its name and exports, others by the imports of ekko.json.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NET = new URL('./net.js', import.meta.url).href;
const EXTENSIONS = ['js', 'mjs', 'ts', 'tsx', 'jsx', 'json'];

const root = process.cwd();
const project = JSON.parse(fs.readFileSync(path.join(root, 'ekko.json'), 'utf8'));

export async function resolve(specifier, context, next) {
  const { parentURL } = context;
  if (parentURL === undefined || parentURL === NET || parentURL.startsWith('data:')) return next(specifier, context);
  if (specifier === 'ekko:net') return { url: NET, shortCircuit: true };
  if (/^\.\.?\//.test(specifier)) return { url: relative(specifier, path.dirname(fileURLToPath(parentURL))), format: 'module', shortCircuit: true };
  return { url: named(specifier), format: 'module', shortCircuit: true };
}

function relative(specifier, dir) {
  if (/\.(ts|tsx|js|jsx|mjs|cjs)$/i.test(specifier)) throw new Error(`import specifiers must be extensionless: ${specifier}`);
  return file(path.join(dir, specifier));
}

function file(at) {
  const found = [at, ...EXTENSIONS.map((extension) => `${at}.${extension}`)].find((each) => fs.statSync(each, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) throw new Error(`module '${at}' not found`);
  return pathToFileURL(found).href;
}

function named(specifier) {
  const exported = ofProject(specifier);
  if (exported !== undefined) return file(path.join(root, exported));
  const mapped = project.name && project.type ? project.imports?.[specifier] : undefined;
  if (mapped === undefined) throw new Error(`module '${specifier}' not found. Run: ekko add ${specifier}`);
  return named(mapped);
}

// ofProject is what the project exports under a specifier.
function ofProject(specifier) {
  const [name, ...rest] = specifier.split('/');
  if (name !== project.name) return undefined;
  const wanted = `./${rest.join('/')}`;
  for (const [pattern, target] of Object.entries(project.exports ?? {})) {
    const [before] = pattern.split('*');
    if (pattern === wanted) return target;
    if (pattern.includes('*') && wanted.startsWith(before)) return target.replace('*', wanted.slice(before.length));
  }
  return undefined;
}
