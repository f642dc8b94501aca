/** Addresses in the form that the editor gives to a webview, and its own values. */
export interface ReportDocumentParts {
  /** `webview.cspSource`: the origin of the extension's own files. */
  readonly cspSource: string;
  /** Random, of this document alone. */
  readonly nonce: string;
  readonly script: string;
  readonly style: string;
  /** BCP 47, for screen readers. */
  readonly language: string;
}

/** SHA-256 of no text: the toolkit tries out `:focus-visible` in an empty inline style. It allows no other. */
const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

/**
 * The document of the report page: an empty root, one script, one style sheet. No inline style or script, nothing
 * from the network.
 */
export function reportHtml(parts: ReportDocumentParts): string {
  const { cspSource, nonce, script, style, language } = parts;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} ${EMPTY_STYLE}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RankLens</title>
<link rel="stylesheet" href="${escape(style)}">
</head>
<body>
<div id="root"></div>
<script nonce="${escape(nonce)}" src="${escape(script)}"></script>
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
