// A CommonJS module whose `default` esbuild does not find when an .mjs file imports it, as @grafana/ui does.
export { default, Scrollbars } from './node_modules/react-custom-scrollbars-2/lib/index.js';
