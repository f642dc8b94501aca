/** esbuild's text loader: the module's source. */
declare module "*.py" {
  const text: string;
  export = text;
}
