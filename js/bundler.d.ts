// Types of @ekkojs/ipc/bundler. They know nothing of the bundlers' own, so that
// none of these has to be installed.

export interface BundlerOptions {
  /**
   * generate (default): the module of the service becomes part of the bundle.
   * external: the import stays as it is, and the program runs with
   * --import @ekkojs/ipc/register.
   */
  readonly mode?: 'generate' | 'external';
}

/** A plugin of Rollup, or of what takes its plugins. */
export interface RollupPlugin {
  name: string;
  resolveId(this: any, source: string, importer: string | undefined): Promise<any>;
  load(this: any, id: string): any;
}

/** A plugin of Vite. */
export interface VitePlugin extends RollupPlugin {
  enforce: 'pre';
}

/** A plugin of esbuild. */
export interface EsbuildPlugin {
  name: string;
  setup(build: any): void;
}

/** A plugin of webpack 5. */
export interface WebpackPlugin {
  apply(compiler: any): void;
}

export function rollup(options?: BundlerOptions): RollupPlugin;
export function vite(options?: BundlerOptions): VitePlugin;
export function esbuild(options?: BundlerOptions): EsbuildPlugin;
export function webpack(options?: BundlerOptions): WebpackPlugin;
