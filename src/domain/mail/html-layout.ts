import { escapeHtml } from './escape-html.ts'
import { expiryNote, type TemplateText } from './template-texts.ts'

/** Mail programs that know dark mode get these; the others keep what is written at the elements. */
const darkStyle = `@media (prefers-color-scheme: dark) {
  .page { background: #16181d !important }
  .card { background: #1f2329 !important; border-color: #353b45 !important }
  .strong { color: #f3f5f8 !important }
  .plain { color: #cfd5de !important }
  .faint { color: #98a2b1 !important }
  .code { background: #2a3038 !important; color: #f3f5f8 !important }
  .link { color: #8ab4ff !important }
}`

const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const styles = {
  plain: `${font};font-size:16px;line-height:24px;color:#3b434f;margin:0 0 16px`,
  faint: `${font};font-size:14px;line-height:20px;color:#667080;margin:0 0 16px`,
}

/** One column, tables and styles at the elements, as mail programs want it. No image, nothing to load. */
export function htmlLayout(template: TemplateText): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(template.subject)}</title>
<style>${darkStyle}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f5f8">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f5f8"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px">
<tr><td style="padding:0 4px 16px"><p class="faint" style="${font};font-size:15px;line-height:20px;font-weight:600;color:#667080;margin:0">{{appName}}</p></td></tr>
<tr><td class="card" style="background:#ffffff;border:1px solid #e1e5eb;border-radius:12px;padding:28px 24px 12px">
${content(template).join('\n')}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}

function content(template: TemplateText): string[] {
  const { heading, paragraphs, button, hasCode = false, closing } = template
  return [
    `<h1 class="strong" style="${font};font-size:22px;line-height:30px;font-weight:600;color:#161b22;margin:0 0 16px">${escapeHtml(heading)}</h1>`,
    ...paragraphs.map((text) => paragraph(text, 'plain')),
    ...(button === undefined ? [] : [buttonHtml(button)]),
    ...(hasCode ? [codeHtml(button === undefined ? 'Enter this code:' : 'Or enter this code:')] : []),
    ...(button !== undefined || hasCode ? [paragraph(expiryNote(template), 'faint')] : []),
    ...(button === undefined ? [] : [plainLinkHtml]),
    // Of a notice it is the point.
    paragraph(closing, button === undefined && !hasCode ? 'plain' : 'faint'),
  ]
}

function paragraph(text: string, look: keyof typeof styles): string {
  return `<p class="${look}" style="${styles[look]};overflow-wrap:anywhere">${escapeHtml(text)}</p>`
}

function buttonHtml(label: string): string {
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:8px 0 24px"><tr><td style="background:#2457d6;border-radius:8px">
<a href="{{link}}" target="_blank" style="${font};display:inline-block;padding:12px 24px;font-size:16px;line-height:24px;font-weight:600;color:#ffffff;text-decoration:none">${escapeHtml(label)}</a>
</td></tr></table>`
}

function codeHtml(label: string): string {
  return `<p class="plain" style="${styles.plain};margin-bottom:8px">${label}</p>
<p class="code" style="font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:32px;line-height:40px;font-weight:600;letter-spacing:6px;color:#161b22;background:#f3f5f8;border-radius:8px;padding:12px 12px 12px 18px;margin:0 0 16px;text-align:center">{{code}}</p>`
}

const plainLinkHtml = `<p class="faint" style="${styles.faint};overflow-wrap:anywhere;word-break:break-word">If the button does not work, open this address:<br>
<a class="link" href="{{link}}" target="_blank" style="color:#2457d6">{{link}}</a></p>`
