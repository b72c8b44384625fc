"""How a card looks: light, dark and on paper. Colours stay apart for colour-blind eyes (Okabe and Ito, 2008)."""

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2430;--soft:#5a6675;--line:#dfe4ea;--fill:#f5f7f9;
--model:#0072b2;--ideal:#009e73;--mark:#b3530a;--marked:#fdf1e3;--good:#0b6b4f;--good-fill:#e7f5ef}
@media(prefers-color-scheme:dark){:root{--paper:#14181e;--ink:#e6eaef;--soft:#9aa6b4;--line:#2d3540;--fill:#1b2129;
--model:#5ab4e5;--ideal:#3fc79a;--mark:#f0a35e;--marked:#33271a;--good:#6fd3ae;--good-fill:#15302a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.25rem;margin:2.6rem 0 .8rem;padding-top:1.1rem;border-top:1px solid var(--line)}
p,ul{max-width:46rem;margin:.6rem 0}
.lines{color:var(--soft);margin:.15rem 0}
.lines:first-of-type{color:var(--ink);font-size:1.1rem}
li{margin:.3rem 0}
ul{padding-left:1.2rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin-top:1rem;font-size:.9rem}
a{color:var(--model)}
.notice{padding:.7rem 1rem;border-left:4px solid var(--mark);background:var(--marked);border-radius:3px;font-weight:600}
.notice.good{border-color:var(--good);background:var(--good-fill)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(12.5rem,1fr));gap:.8rem;margin:1rem 0}
.tile{padding:.8rem 1rem;background:var(--fill);border:1px solid var(--line);border-radius:8px}
.tile b{display:block;font-size:1.9rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{display:block;font-size:.85rem;color:var(--soft)}
.tile .name{color:var(--ink);font-weight:600}
.wide{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.2rem .6rem .5rem 0;font-size:.95rem}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{font-weight:600;color:var(--soft);vertical-align:bottom;border-bottom-width:2px;line-height:1.3}
tbody th{font-weight:400;min-width:5rem}
.number{text-align:right}
td.number{white-space:nowrap}
td:last-child,th:last-child{padding-right:.2rem}
td small{display:block;color:var(--soft);font-weight:400;font-size:.82em}
tr.strong{font-weight:700}
tr.strong th{font-weight:700}
tr.marked{background:var(--marked)}
tr.marked th::before{content:"◆ ";color:var(--mark)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1.2rem}
figure{margin:0;padding:1rem;background:var(--fill);border:1px solid var(--line);border-radius:8px}
figcaption{font-weight:600;margin-bottom:.5rem}
.key{font-size:.82rem;color:var(--soft);margin:.4rem 0 0}
svg{width:100%;height:auto;display:block}
svg text{font-size:12px;fill:var(--soft)}
svg .said{fill:var(--mark);font-weight:600}
svg .grid{stroke:var(--line)}
svg polyline{fill:none}
svg .model{stroke:var(--model);stroke-width:2.4}
svg .thin,svg .bar{stroke:var(--model);stroke-width:1.5}
svg .band{fill:var(--model);opacity:.16}
svg .ideal{stroke:var(--ideal);stroke-width:1.5;stroke-dasharray:6 4}
svg .chance{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:1.5 4;stroke-linecap:round}
svg .read{stroke:var(--mark)}
svg .dot{fill:var(--model)}
svg .read+.dot{fill:var(--mark)}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#ccc;--fill:#fff;--model:#0072b2;
--ideal:#009e73;--mark:#8a3f06;--marked:#fff;--good:#0b6b4f;--good-fill:#fff}
body{font-size:10.5pt}
main{max-width:none;padding:0}
nav{display:none}
h2{break-after:avoid}
tr,figure,.tile,.notice{break-inside:avoid}
.wide{overflow:visible}
table{font-size:7.5pt}
th,td{padding:.2rem .3rem}
}
"""
