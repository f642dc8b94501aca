/** The build bundles style sheets into the page's own. */
declare module "*.css";
