import{A as e,C as t,D as n,E as r,F as i,M as a,N as o,O as s,P as c,S as l,T as u,_ as d,a as f,b as p,c as m,d as ee,f as te,g as ne,h as re,i as ie,j as ae,k as oe,l as se,m as ce,n as le,o as ue,p as de,r as fe,s as pe,t as h,u as me,v as he,w as ge,x as g,y as _}from"./icons-DAycT_2b.js";var _e=`.uplot,.uplot *,.uplot :before,.uplot :after{box-sizing:border-box}.uplot{width:min-content;font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,Noto Sans,sans-serif,Apple Color Emoji,Segoe UI Emoji,Segoe UI Symbol,Noto Color Emoji;line-height:1.5}.u-title{text-align:center;font-size:18px;font-weight:700}.u-wrap{-webkit-user-select:none;user-select:none;position:relative}.u-over,.u-under{position:absolute}.u-under{overflow:hidden}.uplot canvas{width:100%;height:100%;display:block;position:relative}.u-axis{position:absolute}.u-legend{text-align:center;margin:auto;font-size:14px}.u-inline{display:block}.u-inline *{display:inline-block}.u-inline tr{margin-right:16px}.u-legend th{font-weight:600}.u-legend th>*{vertical-align:middle;display:inline-block}.u-legend .u-marker{width:1em;height:1em;margin-right:4px;background-clip:padding-box!important}.u-inline.u-live th:after{content:":";vertical-align:middle}.u-inline:not(.u-live) .u-value{display:none}.u-series>*{padding:4px}.u-series th{cursor:pointer}.u-legend .u-off>*{opacity:.3}.u-select{pointer-events:none;background:#00000012;position:absolute}.u-cursor-x,.u-cursor-y{pointer-events:none;will-change:transform;position:absolute;top:0;left:0}.u-hz .u-cursor-x,.u-vt .u-cursor-y{border-right:1px dashed #607d8b;height:100%}.u-hz .u-cursor-y,.u-vt .u-cursor-x{border-bottom:1px dashed #607d8b;width:100%}.u-cursor-pt{pointer-events:none;will-change:transform;border:0 solid;border-radius:50%;position:absolute;top:0;left:0;background-clip:padding-box!important}.u-axis.u-off,.u-select.u-off,.u-cursor-x.u-off,.u-cursor-y.u-off,.u-cursor-pt.u-off{display:none}`;function v(e){return e===`queued`||e===`running`||e===`paused`}function y(e){return!v(e)}function ve(e,t,n){let r=new EventSource(_.events(e));for(let[e,n]of Object.entries(t))r.addEventListener(e,e=>{n(JSON.parse(e.data))});return r.addEventListener(`end`,()=>r.close()),r.addEventListener(`error`,()=>{r.readyState===EventSource.CLOSED&&n()}),()=>r.close()}var ye=1e4,be=0,b=new r({list:[]});function x(e,t={}){let n=++be,r={id:n,message:e,isError:t.isError??!1,undo:t.undo??null};b.set({list:[...b.value.list,r]}),window.setTimeout(()=>xe(n),ye)}function xe(e){b.set({list:b.value.list.filter(t=>t.id!==e)})}var Se=new r({words:``}),Ce=1e4,we=0;function Te(e){Se.set({words:e})}function Ee(e){let t=Date.now();t-we<Ce||(we=t,Te(e))}var S=new r({byId:{},recent:[],remarks:{},refusals:{}});function C({job:e,adjustments:t}){let n={...e.options};for(let{strength:e,"tv-weight":r}of t)e!=null&&(n.strength=e),r!=null&&(n[`tv-weight`]=r);return{...e,options:n}}var w=new r({byId:{}}),De=30,Oe=2;function T(e){return S.value.byId[e]??null}function E(...e){let t={...S.value.byId};for(let n of e)t[n.id]=n;S.set({byId:t})}function D(e,t){let n=T(e);n&&E({...n,...t(n)})}function O(){return S.value.recent.map(T).filter(e=>e!==null)}function ke(){let e=O().filter(e=>v(e.state));return e.find(e=>e.state!==`queued`)??e.at(-1)??null}var Ae=0,je=new Map;function Me(e,t){je.set(e,++Ae),D(e,t)}async function k(){let e=Ae,t=await te({limit:De}),n=({id:t,state:n})=>(je.get(t)??0)<=e&&(y(n)||!y(T(t)?.state??n));E(...t.jobs.filter(e=>T(e.id)===null||n(e))),S.set({recent:t.jobs.map(e=>e.id)}),Ne()}var A=new Map;function Ne(){let e=O().filter(e=>v(e.state));e.sort((e,t)=>Number(e.state===`queued`)-Number(t.state===`queued`)||e.number-t.number);let t=e.slice(0,Oe).map(e=>e.id);for(let[e,n]of A)t.includes(e)||(n(),A.delete(e));for(let e of t)A.has(e)||Pe(e)}function Pe(e){w.set({byId:{...w.value.byId,[e]:[]}}),A.set(e,ve(e,{started:({worker:t})=>{let n=Date.now();Me(e,({started:e})=>({state:`running`,worker:t,started:e??n}))},planned:t=>D(e,()=>({plan:t,size:t.size})),step:t=>{D(e,()=>({progress:t})),Le(e,e=>Fe(e,t)),Ee(g.progress.spoken(t))},picture:({version:t})=>D(e,()=>({picture:t})),adjusted:t=>D(e,({adjustments:e})=>({adjustments:Ie(e,t)})),warning:t=>Re(e,t),note:t=>Re(e,t),paused:()=>{Me(e,()=>({state:`paused`,wanted:null})),Te(g.state.paused)},resumed:()=>Me(e,()=>({state:`running`,wanted:null})),done:()=>void ze(e),failed:()=>void ze(e),cancelled:()=>void ze(e),"set-aside":()=>void ze(e)},()=>A.delete(e)))}function Fe(e,{step:t,scale:n,content:r,style:i,total:a}){let o=e.at(-1);return[...o&&o.step>=t?e.filter(e=>e.step<t):e,{step:t,scale:n,content:r,style:i,total:a}]}function Ie(e,t){let n=e=>e.step===t.step&&e.strength===t.strength&&e[`tv-weight`]===t[`tv-weight`];return[...e.filter(e=>e.step<=t.step&&!n(e)),t]}function Le(e,t){w.set({byId:{...w.value.byId,[e]:t(w.value.byId[e]??[])}})}function Re(e,{about:t,text:n}){let r=t?`${t.split(`/`).pop()}: ${n}`:n,i=S.value.remarks[e]??[];i.includes(r)||S.set({remarks:{...S.value.remarks,[e]:[...i,r]}})}async function ze(e){A.get(e)?.(),A.delete(e);try{let t=await se(e);E(t),Te(g.state.spokenEnd(t)),await k()}catch{}}function Be(e){let t=T(e);if(!t||!y(t.state)||w.value.byId[e])return;let n=[];Le(e,()=>[]),ve(e,{step:e=>{n=Fe(n,e)},end:()=>Le(e,()=>n)},()=>Le(e,()=>n))}async function Ve(e){let t=await ie(e);return E(t),!t.group&&!S.value.recent.includes(t.id)&&(S.set({recent:[t.id,...S.value.recent]}),Ne()),t}async function He(e,t){let{[e]:n,...r}=S.value.refusals;S.set({refusals:r});try{let n=T(e)?.state,r=await fe(e,t);return T(e)?.state===n&&E(r),!0}catch(t){return S.set({refusals:{...S.value.refusals,[e]:p(t)}}),!1}}async function Ue(e){let t=T(e)?.favourite??!1;D(e,()=>({favourite:!t}));try{E(await d(e,!t))}catch(n){D(e,()=>({favourite:t})),x(p(n),{isError:!0})}}async function We(e,t){let n=T(e)?.title??``,r=async()=>{try{E(await ne(e)),await k(),t()}catch(e){x(p(e),{isError:!0})}};try{await f(e),S.set({recent:S.value.recent.filter(t=>t!==e)}),t(),x(g.history.deleted(n),{undo:()=>void r()}),await k()}catch(e){x(p(e),{isError:!0})}}function Ge(e){if(e<1)return g.units.underSecond;if(e<99.5)return g.units.seconds(Math.round(e));let t=Math.round(e/60);return t<60?g.units.minutes(t):g.units.hours(Math.floor(t/60),t%60)}function Ke(e){return e>=5e8?g.units.gigabytes((e/1e9).toFixed(1)):e>=1e6?g.units.megabytes(Math.round(e/1e6)):g.units.kilobytes(Math.max(1,Math.round(e/1e3)))}function j([e,t]){return`${e}×${t}`}function qe(e){return e.toPrecision(3)}var Je=new Intl.DateTimeFormat(g.locale,{hour:`2-digit`,minute:`2-digit`}),Ye=new Intl.DateTimeFormat(g.locale,{day:`numeric`,month:`short`,year:`numeric`});function Xe(e){let t=new Date(e);return(t.toDateString()===new Date().toDateString()?Je:Ye).format(t)}function Ze(e){return e.replace(/\s*\(.*\)$/,``)}var Qe=(function(){let e=typeof document<`u`&&document.createElement(`link`).relList;return e&&e.supports&&e.supports(`modulepreload`)?`modulepreload`:`preload`})(),$e=function(e){return`/`+e},et={},tt=function(e){return e.pathname.endsWith(`.css`)},nt=function(e,t,n){if(t in e)return e[t];let r=n();if(!r){e[t]=void 0;return}let i=r.then(()=>{e[t]=void 0},n=>{throw e[t]=void 0,n});return e[t]=i,i},rt=function(e,t,n){let r=Promise.resolve();if(t&&t.length>0){let e,i=document.querySelector(`meta[property=csp-nonce]`),a=i?.nonce||i?.getAttribute(`nonce`);function o(e){return Promise.all(e.map(e=>Promise.resolve(e).then(e=>({status:`fulfilled`,value:e}),e=>({status:`rejected`,reason:e}))))}function s(e){return import.meta.resolve?new URL(import.meta.resolve(e)):new URL(e,import.meta.url)}r=o(t.map(t=>{t=$e(t,n);let r=s(t),i=tt(r);return nt(et,r.href,()=>{if(e===void 0){e={all:new Set,styles:new Set};let t=document.getElementsByTagName(`link`);for(let n=t.length-1;n>=0;n--){let r=t[n];e.all.add(r.href),r.rel===`stylesheet`&&e.styles.add(r.href)}}if((i?e.styles:e.all).has(r.href))return;let t=document.createElement(`link`);if(t.rel=i?`stylesheet`:Qe,i||(t.as=`script`),t.crossOrigin=``,t.href=r.href,a&&t.setAttribute(`nonce`,a),document.head.appendChild(t),i)return new Promise((e,n)=>{let i=a=>{t.removeEventListener(`load`,i),t.removeEventListener(`error`,i),a.type===`error`?n(Error(`Unable to preload CSS for ${r}`)):e(a)};t.addEventListener(`load`,i),t.addEventListener(`error`,i)})})}).filter(e=>e!==void 0))}function i(e){let t=new Event(`vite:preloadError`,{cancelable:!0});if(t.payload=e,window.dispatchEvent(t),!t.defaultPrevented)throw e}return r.then(t=>{for(let e of t||[])e.status===`rejected`&&i(e.reason);return e().catch(i)})},it=180,at=200,ot=window.matchMedia(`(prefers-color-scheme: dark)`),st=class extends n{static properties={jobId:{},at:{state:!0}};#e=null;#t=new ResizeObserver(()=>this.#l());#n=s(0,()=>void this.#c());constructor(){super(),this.at=null}stores(){return[w]}connectedCallback(){super.connectedCallback(),ot.addEventListener(`change`,this.#n),this.#r=u.subscribe(this.#n)}disconnectedCallback(){super.disconnectedCallback(),ot.removeEventListener(`change`,this.#n),this.#r(),this.#t.disconnect(),this.#e?.destroy(),this.#e=null}#r=()=>{};get#i(){return w.value.byId[this.jobId]??[]}get#a(){return this.renderRoot.querySelector(`.plot`)}firstUpdated(){this.#c()}updated(){this.#o()}#o=s(at,()=>this.#e?.setData(this.#s()));#s(){let e=e=>this.#i.map(t=>t[e]>0?t[e]:null);return[this.#i.map(({step:e})=>e),e(`total`),e(`content`),e(`style`)]}async#c(){let e=this.#a;if(!e)return;let{default:t}=await rt(async()=>{let{default:e}=await import(`./uPlot.esm-BScb58at.js`);return{default:e}},[]);if(!this.isConnected)return;this.#e?.destroy();let[n,r,i,a]=[`--line`,`--muted`,`--accent`,`--text`].map(t=>(e.style.setProperty(`color`,`var(${t})`),getComputedStyle(e).color));e.style.removeProperty(`color`);let o={stroke:r??``,font:`12px system-ui, sans-serif`,grid:{stroke:n??``,width:1},ticks:{stroke:n??``,width:1,size:4}},s=(e,t=``,n=[])=>({label:e,stroke:t,width:1.5,dash:n,points:{show:!1}});this.#e=new t({width:Math.max(200,e.clientWidth),height:it,scales:{x:{time:!1},y:{distr:3}},axes:[{...o,size:28},{...o,size:48,values:(e,t)=>t.map(ct)}],series:[{label:g.losses.step},s(g.losses.total,a),s(g.losses.content,i),s(g.losses.style,i,[6,4])],cursor:{drag:{x:!1,y:!1}},legend:{show:!1},hooks:{draw:[e=>this.#u(e,r??``)],setCursor:[e=>this.at=e.cursor.idx??null]}},this.#s(),e),this.#t.observe(e)}#l(){let e=this.#a?.clientWidth??0;e>0&&this.#e?.setSize({width:e,height:it})}#u(e,t){let{ctx:n,bbox:r}=e;n.save(),n.strokeStyle=t,n.lineWidth=1,n.setLineDash([2,4]),this.#i.forEach((t,i)=>{let a=this.#i[i-1];if(!a||a.scale===t.scale)return;let o=Math.round(e.valToPos(t.step-.5,`x`,!0));n.beginPath(),n.moveTo(o,r.top),n.lineTo(o,r.top+r.height),n.stroke()}),n.restore()}render(){let e=this.#i,[t,n]=[e[0],e.at(-1)],r=t&&n?g.losses.summary(e.length,qe(t.total),qe(n.total)):g.losses.none;return a`<figure role="img" aria-label=${r}>
      ${e.length===0?a`<p class="muted">${g.losses.none}</p>`:``}
      <div class="legend small number" aria-hidden="true">${this.#d()}</div>
      <div class="plot" aria-hidden="true"></div>
    </figure>`}#d(){let e=this.#i,t=e[this.at??e.length-1],n=e=>a`<span class=${e}>
        <i></i>${g.losses[e]} <b>${t?qe(t[e]):`–`}</b>
      </span>`;return[a`<span class="muted">${g.losses.step} ${t?.step??`–`}</span>`,n(`total`),n(`content`),n(`style`)]}static styles=[i(_e),l,c`
      figure {
        position: relative;
        padding: 8px 12px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      p {
        position: absolute;
        inset: 40% 0 auto;
        text-align: center;
      }

      .plot {
        min-height: 180px;
      }

      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 20px;
        padding-left: 48px;
      }

      .legend span {
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .legend b {
        min-width: 48px;
        font-weight: 600;
      }

      i {
        width: 20px;
        border-top: 2px solid var(--text);
      }

      .content i {
        border-color: var(--accent);
      }

      .style i {
        border-color: var(--accent);
        border-top-style: dashed;
      }
    `]};function ct(e){if(e==null||e<=0)return``;let t=e/10**Math.floor(Math.log10(e)+1e-9);return[1,2,5].some(e=>Math.abs(t-e)<1e-6)?String(Number(e.toPrecision(1))):``}customElements.define(`studio-losses`,st);var M=new r({info:null,schema:null});async function lt(){let e=await ee();return M.set({info:e}),e}async function ut(){M.set({schema:await me()})}var dt={photo:null,styles:[],region:null,keep:null,init:null,options:{}},ft=50,pt=`impasto-form`,N=new r(mt());function mt(){try{return{...dt,...JSON.parse(localStorage.getItem(pt)??`{}`)}}catch{return dt}}N.subscribe(()=>{try{localStorage.setItem(pt,JSON.stringify(N.value))}catch{}});function P({sha256:e,name:t,width:n,height:r}){return{sha256:e,name:t,width:n,height:r}}function ht(e){return{file:e,weight:1,crop:null,rotations:1,trim:`auto`}}function gt(){let e=M.value.info?.example.content.sha256;return e!==void 0&&N.value.photo?.sha256===e}function _t(e){let t=M.value.info?.example.style.sha256;return e.length===1&&e[0]?.file.sha256===t}function vt(e){N.set({photo:P(e),region:null,keep:null})}function yt(e){let{styles:t}=N.value;t.some(t=>t.file.sha256===e.sha256)||N.set({styles:[...t,ht(P(e))]})}function bt(e){_t(N.value.styles)?xt(e):yt(e)}function xt(e){N.set({styles:[ht(P(e))],region:null})}function St(e,t){let n=N.value.styles.map((n,r)=>r===e?{...n,...t}:n);N.set({styles:n})}function Ct(e){let t=N.value.styles.filter((t,n)=>n!==e);N.set({styles:t,region:t.length<2?null:N.value.region})}function F(e,t){let{[e]:n,...r}=N.value.options;N.set({options:t===void 0?r:{...r,[e]:t}})}function I(e){return e.strength??ft}function wt({name:e,sha256:t}){return{path:e,sha256:t}}function Tt(e){return e.map(e=>`${Number(e.toFixed(2))}%`).join(`,`)}function Et({file:e,weight:t,crop:n,rotations:r,trim:i},a){let o={...n&&{crop:Tt(n)},...r>1&&{rotations:r},...i===`none`&&{trim:i}};return{file:wt(e),...a>1&&{weight:t},...Object.keys(o).length>0&&{look:o}}}function L({photo:e,styles:t,region:n,keep:r,init:i,options:a}){return!e||t.length===0?null:{version:3,kind:`transfer`,inputs:{content:wt(e),styles:t.map(e=>Et(e,t.length)),...n&&t.length>1&&{mask:wt(n)},...r&&{keep:wt(r)},...i&&{init:i}},options:a[`content-weight`]==null?{strength:ft,...a}:Dt(a,`strength`),output:{format:`png`}}}function Dt(e,t){let{[t]:n,...r}=e;return r}function Ot(e,t){let{steps:n,scales:r,adjust:i,...a}=e.options??{};return{...e,options:{...a,size:t,preset:`draft`}}}function kt(e){let{content:t,styles:n=[],mask:r,keep:i}=e.inputs??{};return[t,...n.map(e=>e.file),r,i].map(e=>e&&typeof e==`object`?e.sha256:``).join()}var At=30,jt=class{width;height;data;#e=[];#t=[];constructor(e,t){this.width=e,this.height=t,this.data=new Uint8ClampedArray(e*t)}get all(){return[0,0,this.width,this.height]}get isEmpty(){return this.data.every(e=>e===0)}get canUndo(){return this.#e.length>0}get canRedo(){return this.#t.length>0}remember(){this.#e.push(this.data.slice()),this.#e.length>At&&this.#e.shift(),this.#t=[]}undo(){this.#n(this.#e,this.#t)}redo(){this.#n(this.#t,this.#e)}#n(e,t){let n=e.pop();n&&(t.push(this.data.slice()),this.data.set(n))}invert(){this.remember(),this.data.forEach((e,t)=>this.data[t]=255-e)}clear(){this.remember(),this.data.fill(0)}take(e){this.remember();for(let t=0;t<this.data.length;t++){let[n=0,r=0,i=0,a=0]=e.subarray(4*t,4*t+4);this.data[t]=(.2126*n+.7152*r+.0722*i)*a/255}}stroke(e,t,n){let[r,i]=[t[0]-e[0],t[1]-e[1]],a=Math.max(1,n.radius/5),o=Math.max(1,Math.ceil(Math.hypot(r,i)/a));for(let t=1;t<=o;t++)this.#r(e[0]+r*t/o,e[1]+i*t/o,n);let s=n.radius+1;return[Math.max(0,Math.floor(Math.min(e[0],t[0])-s)),Math.max(0,Math.floor(Math.min(e[1],t[1])-s)),Math.min(this.width,Math.ceil(Math.max(e[0],t[0])+s)),Math.min(this.height,Math.ceil(Math.max(e[1],t[1])+s))]}#r(e,t,{radius:n,softness:r,erases:i}){let a=Math.max(1,n*r),o=Math.max(0,Math.floor(t-n)),s=Math.min(this.height-1,Math.ceil(t+n)),c=Math.max(0,Math.floor(e-n)),l=Math.min(this.width-1,Math.ceil(e+n));for(let r=o;r<=s;r++)for(let o=c;o<=l;o++){let s=n-Math.hypot(o+.5-e,r+.5-t);if(s<=0)continue;let c=255*Math.min(1,s/a),l=r*this.width+o,u=this.data[l]??0;this.data[l]=i?Math.min(u,255-c):Math.max(u,c)}}};function Mt(e,t,n){let r=Math.min(1,n/Math.max(e,t));return[Math.max(1,Math.round(e*r)),Math.max(1,Math.round(t*r))]}var Nt=[137,80,78,71,13,10,26,10],Pt=Uint32Array.from({length:256},(e,t)=>{let n=t;for(let e=0;e<8;e++)n=n&1?3988292384^n>>>1:n>>>1;return n});function Ft(e){let t=4294967295;for(let n of e)t=(Pt[(t^n)&255]??0)^t>>>8;return(t^4294967295)>>>0}function It(e,t){let n=new Uint8Array(12+t.length),r=new DataView(n.buffer);return r.setUint32(0,t.length),n.set(new TextEncoder().encode(e),4),n.set(t,8),r.setUint32(8+t.length,Ft(n.subarray(4,8+t.length))),n}async function Lt(e){let t=new Blob([e]).stream().pipeThrough(new CompressionStream(`deflate`));return new Uint8Array(await new Response(t).arrayBuffer())}async function Rt(e,t,n){let r=new Uint8Array(13),i=new DataView(r.buffer);i.setUint32(0,e),i.setUint32(4,t),r[8]=8;let a=new Uint8Array(t*(e+1));for(let r=0;r<t;r++)a.set(n.subarray(r*e,(r+1)*e),r*(e+1)+1);let o=[new Uint8Array(Nt),It(`IHDR`,r),It(`IDAT`,await Lt(a)),It(`IEND`,new Uint8Array)];return new Blob(o,{type:`image/png`})}var R=new r({size:12,softness:30,erases:!1,busy:!1,error:null,version:0}),zt=new EventTarget,Bt=1024,z={region:null,keep:null},Vt={region:``,keep:``};function Ht(e){return`${N.value.photo?.sha256} ${e?.sha256}`}function Ut(e){let{photo:t}=N.value;if(!t)return null;let n=N.value[e],r=Ht(n);return z[e]&&Vt[e]===r||(z[e]=new jt(...Mt(t.width,t.height,Bt)),Vt[e]=r,n&&Gt(e,n)),z[e]}function Wt(e){zt.dispatchEvent(new CustomEvent(`change`,{detail:e}))}async function Gt(e,t){let n=z[e];if(!n)return;let r=await Kt(t.sha256),i=new OffscreenCanvas(n.width,n.height).getContext(`2d`,{willReadFrequently:!0});i&&(i.drawImage(r,0,0,n.width,n.height),n.take(i.getImageData(0,0,n.width,n.height).data),Wt(n.all),R.set({version:R.value.version+1}))}async function Kt(e){try{return await createImageBitmap(await m(e))}catch{let t=await fetch(_.file(e,Bt));return createImageBitmap(await t.blob())}}async function qt(e,t){Ut(e)&&(await Gt(e,t),await Yt(e))}var Jt=Promise.resolve();function Yt(e){return R.set({version:R.value.version+1}),Jt=Jt.then(()=>Zt(e)),Jt}async function Xt(){await Jt}async function Zt(e){let t=z[e];if(t){if(t.isEmpty)Vt[e]=Ht(null),N.set({[e]:null});else{R.set({busy:!0,error:null});try{let n=await Rt(t.width,t.height,t.data),r=await he(`${g.masks.file[e]}.png`,n);if(z[e]===t){let t=P(r);Vt[e]=Ht(t),N.set({[e]:t})}R.set({busy:!1})}catch(e){R.set({busy:!1,error:p(e)})}}}}function Qt(e,t){let n=Ut(e);n&&(t(n),Wt(n.all),Yt(e))}function $t(e){R.set({size:Math.min(Math.max(Math.round(e),1),60)})}var B=new r({subject:{kind:`form`},showsPhoto:!1,divider:null,tool:null,showsLosses:!1});function V(e){let t=e.kind===`form`?B.value.tool:null,n=e.kind===`variants`||e.kind===`pair`;B.set({subject:e,tool:t,...n&&{showsLosses:!1,showsPhoto:!1}})}function en(e){let t=B.value.tool===e?null:e;B.set({tool:t,...t&&{subject:{kind:`form`},divider:null}})}var H=new r({open:null,waiting:[]});function U(e){let{open:t,waiting:n}=H.value;t?H.set({waiting:[...n,e]}):H.set({open:e})}function W(){let[e=null,...t]=H.value.waiting;H.set({open:e,waiting:t})}var G=new r({busy:[],error:null});async function tn(e,t){G.set({error:null});for(let n of e)await nn(n,t)}async function nn(e,t){let n=e.name||g.intake.pasted;G.set({busy:[...G.value.busy,n]});try{let r=await he(n,e);r.recipe?.kind===`transfer`&&t!==`mask`?U({kind:`recipe`,file:r}):rn(r,t)}catch(e){G.set({error:{role:t,words:p(e)}})}finally{let e=[...G.value.busy];e.splice(e.indexOf(n),1),G.set({busy:e})}}function rn(e,t){let{tool:n}=B.value;t===`photo`?vt(e):t===`style`?bt(e):t===`mask`?n&&qt(n,e):gt()||!N.value.photo?vt(e):U({kind:`ask`,file:e})}function an(e,t){let n=document.createElement(`input`);n.type=`file`,n.accept=`image/*,.heic,.heif,.avif,.jxl,.tif,.tiff,.impasto-style`,n.multiple=t,n.addEventListener(`change`,()=>void tn(n.files??[],e)),n.click()}function on(e,t){let n=e.dataTransfer?.files;n?.length&&(e.preventDefault(),tn(n,t))}var sn=class extends n{stores(){return[N,G,R,B]}render(){let{tool:t}=B.value;if(!t)return e;let n=Ut(t),{size:r,softness:i,erases:o,error:s}=R.value,c=G.value.error?.role===`mask`?G.value.error.words:s;return a`<section aria-label=${g.masks.heading[t]}>
      <p class="hint">
        <strong>${g.masks.heading[t]}</strong>
        <span class="muted">${g.masks.hint[t]}</span>
      </p>
      <div class="tools">
        <div class="pair" role="group" aria-label=${g.masks.heading[t]}>
          ${this.#e(!1,o,g.masks.paint,h.brush)}
          ${this.#e(!0,o,g.masks.erase,h.eraser)}
        </div>
        ${this.#t(g.masks.size,r,60,e=>$t(e))}
        ${this.#t(g.masks.softness,i,100,e=>R.set({softness:e}))}
        <div class="row buttons">
          ${this.#n(t,g.masks.undo,h.undo,!n?.canUndo,e=>e.undo())}
          ${this.#n(t,g.masks.redo,h.redo,!n?.canRedo,e=>e.redo())}
          ${this.#n(t,g.masks.invert,h.invert,!1,e=>e.invert())}
          ${this.#n(t,g.masks.clear,h.trash,!1,e=>e.clear())}
          <button
            class="button plain icon"
            aria-label=${g.masks.pick}
            title=${g.masks.pick}
            @click=${()=>an(`mask`,!1)}
          >
            ${h.upload}
          </button>
        </div>
        <button class="button done" @click=${()=>en(t)}>
          ${h.check}${g.masks.done}
        </button>
      </div>
      ${c?a`<p class="error" role="alert">${h.warning}<span>${c}</span></p>`:e}
    </section>`}#e(e,t,n,r){return a`<button
      class="button plain"
      aria-pressed=${t===e}
      @click=${()=>R.set({erases:e})}
    >
      ${r}${n}
    </button>`}#t(e,t,n,r){return a`<label class="slider">
      <span class="small">${e}</span>
      <input
        type="range"
        min=${n===100?0:1}
        max=${n}
        .value=${String(t)}
        @input=${e=>r(Number(e.target.value))}
      />
    </label>`}#n(e,t,n,r,i){return a`<button
      class="button plain icon"
      aria-label=${t}
      title=${t}
      ?disabled=${r}
      @click=${()=>Qt(e,i)}
    >
      ${n}
    </button>`}static styles=[l,c`
      section {
        padding: 8px 12px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      .hint {
        margin-bottom: 4px;
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 16px;
      }

      .pair {
        display: flex;
        gap: 4px;
      }

      .slider {
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .slider input {
        width: 96px;
      }

      .buttons {
        gap: 0;
      }

      .done {
        margin-left: auto;
      }

      @media (max-width: 600px) {
        .tools {
          gap: 4px 12px;
        }

        .pair .button {
          padding-inline: 8px;
        }

        .slider {
          order: 1;
          flex: 1 1 120px;
        }

        .slider input {
          min-width: 0;
          width: 100%;
        }

        .buttons {
          order: 2;
          flex: 1 1 100%;
          justify-content: space-between;
        }
      }
    `]};customElements.define(`studio-mask-bar`,sn);async function cn(e){let t=[],n=async e=>{if(!e)return null;let n=typeof e==`string`?void 0:e.sha256;try{if(n)return{...P(await pe(n)),name:dn(e)}}catch{}return t.push(dn(e)),null},{content:r,styles:i=[],mask:a,keep:o,init:s}=e.inputs??{},c=await n(r),l=[];for(let e of i){let t=await n(e.file);t&&l.push(ln(e,t))}let u=await n(a),d=await n(o);return N.set({photo:c??N.value.photo,styles:l.length>0?l:N.value.styles,region:l.length>1&&c?u:null,keep:c?d:null,init:typeof s==`string`?s:null,options:fn(e.options??{})}),t}function ln({weight:e,look:t},n){return{...ht(n),weight:e??1,crop:un(t?.crop,n),rotations:t?.rotations??1,trim:t?.trim??`auto`}}function un(e,t){let n=e?.split(`,`)??[];if(n.length!==4)return null;let r=n.every(e=>e.trim().endsWith(`%`)),i=[t.width,t.height,t.width,t.height],a=n.map((e,t)=>r?parseFloat(e):parseFloat(e)/(i[t]??1)*100);return a.every(Number.isFinite)?a:null}function dn(e){let t=typeof e==`string`?e:e.path;return typeof t==`string`?t.split(`/`).pop()??t:t.bytes}function fn(e){return Object.fromEntries(Object.entries(e).filter(([,e])=>e!=null))}var K=new r({url:null,shown:``,busy:!1,moved:!1,error:null,field:null}),pn=128,mn=20,hn=150,gn=``,_n=0,vn=null,yn=()=>{};function bn(){let e=L(N.value);if(!e)return``;let t=Ot(e,pn);return JSON.stringify({...t,options:{...t.options,steps:mn}})}var xn=s(hn,()=>void En());function Sn(){N.subscribe(Cn),Cn()}function Cn(){let e=bn();e!==gn&&(gn=e,e===``?(_n++,yn(),K.set({url:null,shown:``,busy:!1,error:null,field:null})):(K.set({busy:!0,moved:!0}),wn(),xn()))}function wn(){let{subject:e}=B.value;if(e.kind===`form`)return;let t=e.kind===`job`?T(e.id):null;(!t||y(t.state))&&V({kind:`form`})}function Tn(){gn!==``&&K.value.shown!==gn&&(K.set({busy:!0}),xn())}async function En(){let e=++_n,t=gn;if(yn(),t!==``)try{let n=await ie({job:JSON.parse(t),preview:!0,replaces:vn});vn=n.id,e===_n&&Dn(n.id,t,e)}catch(t){if(e!==_n)return;let n=t instanceof le?t.field:null;K.set({busy:!1,error:p(t),field:n})}}function Dn(e,t,n){let r=()=>n===_n,i=({message:e})=>{r()&&K.set({busy:!1,error:e})};yn=ve(e,{picture:({version:n})=>{r()&&K.set({url:_.live(e,n),shown:t,error:null,field:null})},done:()=>{r()&&K.set({url:_.shown(e),shown:t,busy:!1,error:null,field:null})},failed:i,"set-aside":i,cancelled:()=>{r()&&K.set({busy:!1})}},()=>{r()&&K.set({busy:!1})})}var q=new r({busy:!1,error:null});async function On(e){q.set({busy:!0,error:null});try{await e(),q.set({busy:!1})}catch(e){q.set({busy:!1,error:p(e)})}}function kn(e){K.set({moved:!1}),V({kind:`job`,id:e})}function An(){return On(async()=>{await Xt();let e=L(N.value);e&&kn((await Ve({job:e})).id)})}var jn=[128,192,256,384,512,768,1024,1536,2048,3072,4096,6144,8192];function Mn(e){let t=Math.max(...e.size??[0]);return jn.find(e=>e>t*1.1)??null}async function Nn(e){let t=Mn(e);if(t===null)return;await cn(C(e));let{photo:n,options:r}=N.value,i=n?Math.max(n.width,n.height):0;N.set({options:{...r,size:t,...t>i&&{upscale:!0}}}),x(g.result.largerDone(t))}var Pn=20,Fn=[.6,1,1.6],In=192,J=new r({group:``,cells:[],source:null});function Ln(e){let t=Math.min(Math.max(I(e.options??{}),Pn),80),n=e.options?.[`style-scale`]??1,r=[t-Pn,t,t+Pn];return Fn.flatMap(e=>{let t=Number((n*e).toFixed(2));return r.map(e=>({strength:e,scale:t,id:null}))})}function Rn(e,{strength:t,scale:n}){let r=Ot(e,In),{"content-weight":i,...a}=r.options??{};return{...r,options:{...a,strength:t,"style-scale":n}}}function zn(e){return On(async()=>{await Xt();let t=e??L(N.value);if(!t)return;let n=re();J.set({group:n,cells:Ln(t),source:t}),V({kind:`variants`,group:n});for(let[e,r]of J.value.cells.entries()){let i=await Ve({job:Rn(t,r),group:n});if(J.value.group!==n)return;let a=J.value.cells.map((t,n)=>n===e?{...t,id:i.id}:t);J.set({cells:a})}})}async function Bn(){let{group:e}=J.value;e!==``&&E(...(await te({group:e,limit:9})).jobs)}async function Vn(){let{cells:e}=J.value;J.set({group:``,cells:[],source:null}),V({kind:`form`});let t=e.map(async({id:e})=>{let t=e===null?null:T(e);e!==null&&(t===null||v(t.state))&&await fe(e,{action:`cancel`})});await Promise.allSettled(t)}async function Hn({strength:e,scale:t}){let{source:n}=J.value;n&&await cn(n);let{"content-weight":r,...i}=N.value.options;N.set({options:{...i,strength:e,"style-scale":t}}),await Vn()}var Un=class extends n{static properties={ids:{attribute:!1}};stores(){return[S]}render(){return a`<div class="pair">${this.ids.map(e=>this.#e(e))}</div>`}#e(t){let n=T(t);if(!n)return e;let r=g.history.strength(I(C(n).options??{})),i=n.state===`done`?_.shown(t):_.job(t,1024,n.state);return a`<figure>
      <div class="picture"><img src=${i} alt=${n.title} /></div>
      <figcaption class="row between">
        <span class="grow">
          <span class="title">${n.title}</span>
          <span class="small muted number"
            >${r}${n.size?`, ${j(n.size)}`:``}</span
          >
        </span>
        <button class="button" @click=${()=>kn(t)}>${g.pair.open}</button>
      </figcaption>
    </figure>`}static styles=[l,c`
      :host,
      .pair {
        height: 100%;
      }

      .pair {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 8px;
        padding: 12px;
      }

      figure {
        display: flex;
        flex-direction: column;
        gap: 8px;
        min-height: 0;
      }

      .picture {
        flex: 1;
        min-height: 0;
      }

      img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }

      .title {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
    `]};customElements.define(`studio-pair`,Un);var Wn=class extends n{stores(){return[N,S,q,B]}render(){let{subject:t}=B.value;if(t.kind===`form`)return this.#e();if(t.kind===`variants`)return this.#n(g.variants.heading,g.variants.hint,()=>void Vn());if(t.kind===`pair`)return this.#n(g.pair.heading,``,()=>V({kind:`form`}));let n=T(t.id);return n?this.#r(n):e}#e(){return L(N.value)?a`<div class="bar">
      <div class="grow"></div>
      ${this.#t(null)}
    </div>`:e}#t(e){return a`<button
      class="button plain"
      title=${g.result.variantsHint}
      ?disabled=${q.value.busy}
      @click=${()=>void zn(e&&C(e))}
    >
      ${h.grid}${g.result.variants}
    </button>`}#n(e,t,n){return a`<div class="bar">
      <p class="grow"><strong>${e}</strong> <span class="muted">${t}</span></p>
      <button class="button" @click=${n}>${h.close}${g.variants.back}</button>
    </div>`}#r(t){let{title:n,favourite:r,report:i,adjustments:o}=t,s=S.value.remarks[t.id]??[];return a`<div class="bar">
      <div class="grow about">
        <div class="title" title=${n}>${n}</div>
        <div class="small muted number">
          ${i?g.result.info(j(i.size),i.steps,Ge(i.seconds)):g.state[t.state]}${o.length>0?`, ${g.result.adjusted(o.length)}`:``}
        </div>
      </div>
      <button
        class="button plain icon"
        aria-label=${g.result.star}
        title=${g.result.star}
        aria-pressed=${r}
        @click=${()=>void Ue(t.id)}
      >
        ${r?h.starred:h.star}
      </button>
      ${t.state===`done`?this.#i(t):this.#a(t)}
      ${s.length>0?a`<ul class="remarks small muted">
              ${s.map(e=>a`<li>${e}</li>`)}
            </ul>`:e}
    </div>`}#i(t){let n=Mn(t);return a`
      ${this.#a(t)}
      ${n===null?e:a`<button
              class="button plain"
              title=${g.result.largerHint}
              @click=${()=>void Nn(t)}
            >
              ${h.larger}${g.result.larger(n)}
            </button>`}
      ${this.#t(t)}
      <button
        class="button plain"
        title=${g.result.commandHint}
        @click=${()=>U({kind:`command`,id:t.id})}
      >
        ${h.terminal}${g.result.command}
      </button>
      <details class="download" @keydown=${this.#o} @focusout=${this.#s}>
        <summary class="button primary">${h.down}${g.result.download}</summary>
        <ul>
          ${g.result.formats.map(({label:e,format:n,bits:r})=>a`<li>
                <a class="button plain" href=${_.download(t.id,n,r)} download>
                  ${e}
                </a>
              </li>`)}
        </ul>
      </details>
    `}#a(e){return a`<button
      class="button plain"
      title=${g.result.reuseHint}
      @click=${async()=>{let t=await cn(C(e));x(t.length>0?g.intake.missing(t):g.intake.filled)}}
    >
      ${h.sliders}${g.result.reuse}
    </button>`}#o=e=>{if(e.key!==`Escape`)return;let t=e.currentTarget;t.open=!1,t.querySelector(`summary`)?.focus()};#s=e=>{let t=e.currentTarget;t.contains(e.relatedTarget)||(t.open=!1)};static styles=[l,c`
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px;
        min-height: 52px;
        padding: 4px 8px 4px 16px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      .about {
        min-width: 152px;
      }

      .bar .button {
        padding-inline: 8px;
      }

      .bar .icon {
        padding: 0;
      }

      .title,
      .about .small {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .download {
        position: relative;
        margin-left: 4px;
      }

      summary {
        list-style: none;
      }

      summary::-webkit-details-marker {
        display: none;
      }

      .download ul {
        position: absolute;
        right: 0;
        bottom: calc(100% + 4px);
        z-index: 2;
        width: max-content;
        padding: 4px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
      }

      .download li .button {
        display: flex;
        justify-content: flex-start;
      }

      @media (max-width: 600px) {
        .bar {
          padding: 4px 16px 8px;
        }

        .bar > .grow:empty {
          display: none;
        }

        /* The words and the star fill a line, and the buttons share those below. */
        .bar > .grow {
          flex: 1 1 calc(100% - 64px);
        }

        .bar > .button:not(.icon) {
          flex: 1 1 40%;
        }

        .download {
          flex: 1 1 100%;
          margin: 0;
        }

        .download summary {
          width: 100%;
        }

        .download ul {
          width: 100%;
        }
      }

      .remarks {
        flex-basis: 100%;
        padding-bottom: 4px;
      }
    `]};customElements.define(`studio-picture-bar`,Wn);var Gn=240,Kn=24,qn=class{element;actions;#e=new Map;#t=!1;constructor(e,t){this.element=e,this.actions=t,e.addEventListener(`pointerdown`,this.#r),e.addEventListener(`pointermove`,this.#i),e.addEventListener(`pointerup`,this.#o),e.addEventListener(`pointercancel`,this.#o),e.addEventListener(`pointerleave`,()=>t.hover(null)),e.addEventListener(`wheel`,this.#s,{passive:!1})}#n(e){let t=this.element.getBoundingClientRect();return[e.clientX-t.left,e.clientY-t.top]}#r=e=>{let t=this.#e.size===0;if(e.button>1||this.#e.size>1)return;let n=this.#n(e);this.#e.set(e.pointerId,n),this.element.setPointerCapture(e.pointerId),t&&e.button===0?this.#t=this.actions.begin(n):this.#t&&(this.#t=!1,this.actions.abandon())};#i=e=>{let t=this.#n(e);this.actions.hover(t);let n=this.#e.get(e.pointerId);if(n){if(this.#t){let t=e.getCoalescedEvents?.()??[];for(let n of t.length>0?t:[e])this.actions.stroke(this.#n(n))}else this.#e.size===1?this.actions.move([t[0]-n[0],t[1]-n[1]]):this.#a(e.pointerId,n,t);this.#e.set(e.pointerId,t)}};#a(e,t,n){let r=[...this.#e].find(([t])=>t!==e)?.[1];if(!r)return;let i=e=>[(e[0]+r[0])/2,(e[1]+r[1])/2],a=e=>Math.max(1,Math.hypot(e[0]-r[0],e[1]-r[1])),[o,s]=[i(t),i(n)];this.actions.move([s[0]-o[0],s[1]-o[1]]),this.actions.zoom(s,a(n)/a(t))}#o=e=>{this.#e.delete(e.pointerId),!this.#t||this.#e.size>0||(this.#t=!1,this.actions.end())};#s=e=>{if(!this.actions.takesWheel(e))return;e.preventDefault();let t=e.deltaMode===WheelEvent.DOM_DELTA_PIXEL?1:Kn,n=e.ctrlKey?4:1,r=2**(-e.deltaY*t*n/Gn);this.actions.zoom(this.#n(e),r)}};function Jn(e){let t=e.composedPath()[0];return t===document.body||t instanceof HTMLElement&&t.id===`stage`}var Yn=class{host;alt;#e=``;#t=``;constructor(e,t){this.host=e,this.alt=t}get isShown(){return this.#t!==``}hold(){this.#e=this.#t}async show(e,{loaded:t=()=>{},instead:n=null}={}){let r=e??``;if(r===this.#e)return;if(this.#e=r,r===``){this.#t=``,this.host.replaceChildren();return}let i=new Image;i.alt=this.alt,i.draggable=!1,i.src=r;try{await i.decode()}catch{if(this.#e!==r)return;this.#e=this.#t,!this.isShown&&n&&await this.show(n);return}this.#e===r&&(this.#t=r,this.host.replaceChildren(i),t())}},Xn={zoom:1,x:.5,y:.5},Zn=16,Qn=16;function $n(e,t){let n=[Math.max(1,e[0]-32),Math.max(1,e[1]-32)];return Math.min(n[0]/t[0],n[1]/t[1])}function er(e,t,n){return 1/($n(e,t)*n)}function tr(e,t,n){let r=$n(t,n)*e.zoom,[i,a]=[n[0]*r,n[1]*r];return{left:t[0]/2-e.x*i,top:t[1]/2-e.y*a,width:i,height:a}}function nr(e,t,n,r){let i=er(t,n,r),a=Math.min(Math.max(e.zoom,Math.min(1,i)),Math.max(1,i*Qn)),o=tr({...e,zoom:a},t,n);return{zoom:a,x:rr(e.x,o.width,t[0]),y:rr(e.y,o.height,t[1])}}function rr(e,t,n){if(t<=n)return .5;let r=(n/2-Zn)/t;return Math.min(Math.max(e,r),1-r)}function ir(e,t,n,r,i,a){let o=nr({...e,zoom:e.zoom*i},t,n,a),s=tr(e,t,n),c=tr(o,t,n),l=(r[0]-s.left)/s.width+(t[0]/2-r[0])/c.width,u=(r[1]-s.top)/s.height+(t[1]/2-r[1])/c.height;return nr({zoom:o.zoom,x:l,y:u},t,n,a)}function ar(e,t,n,r,i){let a=tr(e,t,n);return nr({...e,x:e.x-r[0]/a.width,y:e.y-r[1]/a.height},t,n,i)}function or(e,t,n){let r=n[0]/e.width,i=Math.max(0,Math.floor(-e.left*r)),a=Math.max(0,Math.floor(-e.top*r)),o=Math.min(n[0],Math.ceil((t[0]-e.left)*r)),s=Math.min(n[1],Math.ceil((t[1]-e.top)*r));return[i,a,Math.max(1,o-i),Math.max(1,s-a)]}var sr=.02,cr=.1,lr=class{canvas;ring;#e=null;#t=null;#n=null;#r=null;constructor(e,t){this.canvas=e,this.ring=t,zt.addEventListener(`change`,this.#a)}stop(){zt.removeEventListener(`change`,this.#a)}get isActive(){return this.#t!==null}show(e){let t=e&&Ut(e);this.canvas.hidden=t===null,this.#e=e,t!==this.#t&&(this.#t=t,t&&(this.canvas.width=t.width,this.canvas.height=t.height,Wt(t.all)))}place(e){if(this.ring.hidden=!this.isActive||this.#n===null,!this.#n)return;let{style:t}=this.ring,n=R.value.size/100*Math.max(e.width,e.height);t.setProperty(`left`,`${e.left+this.#n[0]*e.width}px`),t.setProperty(`top`,`${e.top+this.#n[1]*e.height}px`),t.setProperty(`width`,`${n}px`),t.setProperty(`height`,`${n}px`)}moveTo(e){this.#n=e}step(e,t){let n=t?cr:sr,r=e=>Math.min(Math.max(e,0),1),[i,a]=this.#n??[.5,.5];this.#n=[r(i+e[0]*n),r(a+e[1]*n)]}dab(){this.#n??=[.5,.5],this.begin(this.#n)&&this.end()}begin(e){return this.#t?(this.#t.remember(),this.#r=e,this.#i(e,e),!0):!1}stroke(e){this.#i(this.#r??e,e),this.#r=e}end(){this.#r=null,this.#e&&Yt(this.#e)}abandon(){this.#r=null,this.#t?.undo(),this.#t&&Wt(this.#t.all)}#i(e,t){let n=this.#t;if(!n)return;let{size:r,softness:i,erases:a}=R.value,o={radius:Math.max(.5,r/200*Math.max(n.width,n.height)),softness:i/100,erases:a},s=([e,t])=>[e*n.width,t*n.height];Wt(n.stroke(s(e),s(t),o))}#a=e=>{let t=this.#t,n=this.canvas.getContext(`2d`);if(!t||!n)return;let[r,i,a,o]=e.detail,[s,c]=[a-r,o-i];if(s<=0||c<=0)return;let{color:l}=getComputedStyle(this.canvas),[u=0,d=0,f=0]=(l.match(/[\d.]+/g)??[]).map(Number),p=n.createImageData(s,c);for(let e=0;e<c;e++)for(let n=0;n<s;n++){let a=t.data[(i+e)*t.width+r+n]??0;p.data.set([u,d,f,a],4*(e*s+n))}n.putImageData(p,r,i)}},ur={ArrowLeft:-1,ArrowDown:-1,ArrowRight:1,ArrowUp:1,PageDown:-10,PageUp:10,Home:-100,End:100},dr=class extends n{static properties={left:{attribute:!1},width:{attribute:!1},room:{attribute:!1}};stores(){return[B]}#e(e){B.set({divider:Math.min(Math.max(Math.round(e),0),100)})}#t=e=>{let t=ur[e.key];t!==void 0&&(e.preventDefault(),e.stopPropagation(),this.#e((B.value.divider??0)+t))};#n=e=>{e.stopPropagation(),e.currentTarget.setPointerCapture(e.pointerId)};#r=e=>{if(e.stopPropagation(),!e.currentTarget.hasPointerCapture(e.pointerId))return;let t=this.offsetParent?.getBoundingClientRect().left??0;this.#e(100*(e.clientX-t-this.left)/this.width)};updated(e){let t=this.left+this.width*(B.value.divider??0)/100;this.style.setProperty(`left`,`${Math.min(Math.max(t,0),this.room)}px`)}render(){let{divider:t}=B.value;return t===null?e:a`<div
      class="divider"
      role="slider"
      tabindex="0"
      aria-label=${g.canvas.divider}
      aria-orientation="horizontal"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${t}
      aria-valuetext=${g.canvas.dividerValue(t)}
      @keydown=${this.#t}
      @pointerdown=${this.#n}
      @pointermove=${this.#r}
    >
      <span class="side left">${g.canvas.before}</span>
      <span class="grip"></span>
      <span class="side right">${g.canvas.after}</span>
    </div>`}static styles=[l,c`
      :host {
        position: absolute;
        top: 0;
        bottom: 0;
        width: 44px;
        margin-left: -22px;
      }

      .divider {
        position: absolute;
        inset: 0;
        cursor: ew-resize;
        touch-action: none;
      }

      .divider::before {
        content: "";
        position: absolute;
        left: 21px;
        top: 0;
        bottom: 0;
        width: 2px;
        background: #ffffff;
        outline: 1px solid rgb(0 0 0 / 60%);
      }

      .grip {
        position: absolute;
        left: 6px;
        top: 50%;
        width: 32px;
        height: 32px;
        translate: 0 -50%;
        border: 1px solid rgb(0 0 0 / 60%);
        border-radius: 50%;
        background: #ffffff;
      }

      .grip::before,
      .grip::after {
        content: "";
        position: absolute;
        top: 11px;
        width: 8px;
        height: 8px;
        border: solid #1a1a1a;
        border-width: 0 0 1.5px 1.5px;
      }

      .grip::before {
        left: 6px;
        rotate: 45deg;
      }

      .grip::after {
        right: 6px;
        rotate: 225deg;
      }

      .divider:focus-visible {
        outline: none;
      }

      .divider:focus-visible .grip {
        outline: 3px solid var(--accent);
        outline-offset: 1px;
      }

      .side {
        position: absolute;
        bottom: 12px;
        padding: 2px 8px;
        border-radius: var(--radius);
        background: rgb(0 0 0 / 70%);
        color: #ffffff;
        font-size: var(--small);
        line-height: 16px;
        pointer-events: none;
      }

      .side.left {
        right: 32px;
      }

      .side.right {
        left: 32px;
      }
    `]};customElements.define(`studio-divider`,dr);var fr=1.25,pr=64,mr=250,hr=120,gr=3,_r={ArrowLeft:[-1,0],ArrowRight:[1,0],ArrowUp:[0,-1],ArrowDown:[0,1]},vr=class extends n{static properties={scene:{attribute:!1},narrow:{type:Boolean}};#e=Xn;#t=[1,1];#n=null;#r=new ResizeObserver(()=>this.#m());#i=0;#a=0;#o=null;#s=null;stores(){return[B,R]}get zoomPercent(){let e=er(this.#t,this.scene.size,devicePixelRatio);return Math.round(100*this.#e.zoom/e)}connectedCallback(){super.connectedCallback(),window.addEventListener(`keydown`,this.#C),window.addEventListener(`keyup`,this.#T),window.addEventListener(`blur`,this.#E)}disconnectedCallback(){super.disconnectedCallback(),this.#r.disconnect(),clearTimeout(this.#a),this.#s?.stop(),this.#s=null,window.removeEventListener(`keydown`,this.#C),window.removeEventListener(`keyup`,this.#T),window.removeEventListener(`blur`,this.#E)}firstUpdated(){let e=this.#c,{picture:t,photo:n}=g.canvas.alt;this.#n={base:new Yn(this.#l(`.base`),t),detail:new Yn(this.#l(`.detail`),``),photo:new Yn(this.#l(`.photo`),n)},this.#s=new lr(this.#l(`canvas`),this.#l(`.cursor`)),new qn(e,this.#S),this.#r.observe(e),this.#m()}updated(e){e.has(`scene`)&&this.#_(),this.#s?.show(this.scene.paintsMask?B.value.tool:null),this.#g()}get#c(){return this.#l(`#stage`)}#l(e){let t=this.renderRoot.querySelector(e);if(!t)throw Error(`The stage has no ${e}.`);return t}focus(){this.#c.focus()}fit(){this.#p(Xn)}showPixels(){let e=er(this.#t,this.scene.size,devicePixelRatio);this.#d(this.#u,e/this.#e.zoom)}zoomIn(){this.#d(this.#u,fr)}zoomOut(){this.#d(this.#u,1/fr)}get#u(){return[this.#t[0]/2,this.#t[1]/2]}#d(e,t){let{size:n}=this.scene;this.#p(ir(this.#e,this.#t,n,e,t,devicePixelRatio))}#f(e){this.#p(ar(this.#e,this.#t,this.scene.size,e,devicePixelRatio))}#p(e){this.#e=nr(e,this.#t,this.scene.size,devicePixelRatio),this.#g(),this.#b(),this.dispatchEvent(new Event(`zoomed`))}#m(){let{clientWidth:e,clientHeight:t}=this.#c;this.#t=[Math.max(1,e),Math.max(1,t)],this.#p(this.#e)}get#h(){return tr(this.#e,this.#t,this.scene.size)}#g(){let e=this.#h,{style:t,classList:n}=this.#l(`.world`);t.setProperty(`left`,`${e.left}px`),t.setProperty(`top`,`${e.top}px`),t.setProperty(`width`,`${e.width}px`),t.setProperty(`height`,`${e.height}px`);let r=$n(this.#t,this.scene.size)*this.#e.zoom;n.toggle(`squares`,r>=gr),this.#c.classList.toggle(`fits`,this.#e.zoom<=1.001);let{divider:i,showsPhoto:a}=B.value,o=this.#l(`.photo`);o.hidden=!a&&i===null;let s=a?0:100-(i??0);o.style.setProperty(`clip-path`,`inset(0 ${s}% 0 0)`);let c=this.renderRoot.querySelector(`studio-divider`);c&&Object.assign(c,{left:e.left,width:e.width,room:this.#t[0]}),this.#s?.place(e)}#_(){let e=this.#n;if(!e)return;e.photo.show(this.scene.photo);let{base:t,live:n,holds:r}=this.scene;if(clearTimeout(this.#a),!n){if(r!==null&&r===this.#o){e.base.hold(),e.detail.hold();return}this.#o=null,e.base.show(t),e.detail.show(null);return}let i=Math.max(0,this.#i+mr-Date.now());this.#a=window.setTimeout(()=>this.#v(),i)}#v(){let e=this.#n,{base:t,live:n}=this.scene;if(!e||!n)return;this.#i=Date.now();let r=this.#h,i=r.width>1.3*this.#t[0]||r.height>1.3*this.#t[1];if((!i||!e.base.isShown)&&(e.base.show(t,{instead:this.scene.photo,loaded:()=>{this.#o=n.id}}),!i)){e.detail.show(null);return}let{size:a}=this.scene,o=or(r,this.#t,a);e.detail.show(_.live(n.id,n.version,o),{loaded:()=>this.#y(o,a)})}#y([e,t,n,r],i){let{style:a}=this.#l(`.detail`);a.setProperty(`left`,`${100*e/i[0]}%`),a.setProperty(`top`,`${100*t/i[1]}%`),a.setProperty(`width`,`${100*n/i[0]}%`),a.setProperty(`height`,`${100*r/i[1]}%`)}#b=s(hr,()=>this.#v());#x(e){let t=this.#h;return[(e[0]-t.left)/t.width,(e[1]-t.top)/t.height]}#S={move:e=>this.#f(e),zoom:(e,t)=>this.#d(e,t),begin:e=>this.#s?.begin(this.#x(e))??!1,stroke:e=>this.#s?.stroke(this.#x(e)),end:()=>this.#s?.end(),abandon:()=>this.#s?.abandon(),hover:e=>{this.#s?.moveTo(e&&this.#x(e)),this.#s?.place(this.#h)},takesWheel:e=>!this.narrow||e.ctrlKey||this.#e.zoom>1};#C=e=>{if(!Jn(e)||e.altKey)return;let{tool:t}=B.value;if(e.ctrlKey||e.metaKey){t&&e.key.toLowerCase()===`z`&&(e.preventDefault(),Qt(t,t=>e.shiftKey?t.redo():t.undo()));return}let n=this.#w[e.key];n&&(e.preventDefault(),n())};#w={"+":()=>this.zoomIn(),"=":()=>this.zoomIn(),"-":()=>this.zoomOut(),0:()=>this.fit(),1:()=>this.showPixels()," ":()=>B.set({showsPhoto:!0}),b:()=>B.set({divider:B.value.divider===null?50:null}),"[":()=>$t(R.value.size/1.2-.5),"]":()=>$t(R.value.size*1.2+.5),e:()=>{B.value.tool&&R.set({erases:!R.value.erases})},i:()=>{B.value.tool&&Qt(B.value.tool,e=>e.invert())}};#T=e=>{e.key===` `&&this.#E()};#E=()=>{B.value.showsPhoto&&B.set({showsPhoto:!1})};#D=e=>{let t=this.#s?.isActive?this.#s:null,n=_r[e.key];if(n&&t)t.step(n,e.shiftKey);else if(n)this.#f([-n[0]*pr,-n[1]*pr]);else if(t&&e.key===`Enter`&&!e.ctrlKey)t.dab();else return;t?.place(this.#h),e.preventDefault()};render(){let{divider:t,tool:n}=B.value;return a`<div
      id="stage"
      tabindex="0"
      role="group"
      aria-label="${g.canvas.stage} ${n?g.masks.cursor:``}"
      class=${n&&this.scene.paintsMask?`paints`:``}
      @keydown=${this.#D}
    >
      <div class="world">
        <div class="layer base"></div>
        <div class="layer detail"></div>
        <div class="layer photo" hidden></div>
        <canvas class="layer" hidden></canvas>
      </div>
      <div class="cursor" hidden></div>
      ${t===null?e:a`<studio-divider></studio-divider>`}
    </div>`}static styles=[l,c`
      :host {
        min-height: 0;
        height: 100%;
      }

      #stage {
        position: relative;
        height: 100%;
        overflow: hidden;
        background: var(--stage);
        cursor: grab;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }

      /* A picture that fits cannot be moved, so the finger scrolls the page. */
      #stage.fits:not(.paints) {
        touch-action: pan-y;
      }

      #stage:active {
        cursor: grabbing;
      }

      #stage.paints {
        cursor: crosshair;
      }

      #stage:focus-visible {
        outline-offset: -2px;
      }

      .world {
        position: absolute;
      }

      .layer {
        position: absolute;
        left: 0;
        top: 0;
        width: 100%;
        height: 100%;
      }

      .layer[hidden],
      .cursor[hidden] {
        display: none;
      }

      .layer img {
        width: 100%;
        height: 100%;
      }

      .squares img {
        image-rendering: pixelated;
      }

      canvas {
        color: var(--mask);
        opacity: 0.5;
        pointer-events: none;
      }

      .cursor {
        position: absolute;
        translate: -50% -50%;
        border: 1px solid #ffffff;
        outline: 1px solid #000000;
        border-radius: 50%;
        pointer-events: none;
      }
    `]};customElements.define(`studio-stage`,vr);var yr=class extends n{static properties={job:{attribute:!1}};render(){let{progress:e}=this.job,t=e?Math.round(100*e.step/e.steps):0;return a`
      <div
        class="bar"
        role="progressbar"
        aria-label=${g.progress.bar}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${t}
      >
        <div class="done"></div>
      </div>
      ${this.#e()}
    `}#e(){let{state:t,progress:n,ahead:r}=this.job;if(t===`queued`)return a`<p class="small">
        ${g.state.queued}. <span class="muted">${g.make.waiting(r)}</span>
      </p>`;if(!n)return a`<p class="small muted">${g.progress.preparing}</p>`;let i=g.progress.left(Ge(n[`seconds-left`]));return a`<p class="small row between number">
        <span>${g.progress.step(n)}</span>
        <span>${t===`paused`?g.state.paused:i}</span>
      </p>
      ${n.scales>1?a`<p class="small muted number">
              ${g.progress.scale(n,j(n.size))}
            </p>`:e}`}updated(e){let{progress:t}=this.job,n=t?t.step/t.steps:0;this.renderRoot.querySelector(`.done`)?.style.setProperty(`width`,`${(100*n).toFixed(1)}%`)}static styles=[l,c`
      .bar {
        height: 6px;
        margin-bottom: 8px;
        border-radius: 3px;
        background: var(--hover);
        overflow: hidden;
      }

      .done {
        width: 0;
        height: 100%;
        background: var(--accent);
      }
    `]};customElements.define(`studio-progress`,yr);var br=1e3,xr=class extends n{#e=0;stores(){return[S,q,J]}connectedCallback(){super.connectedCallback(),this.#e=window.setInterval(()=>this.#t(),br)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this.#e)}#t(){let{cells:e}=J.value;e.map(e=>e.id===null?null:T(e.id)).every(e=>e&&y(e.state))||Bn().catch(()=>{})}render(){let{cells:t}=J.value,{error:n}=q.value;return a`
      ${n?a`<p class="error" role="alert">${h.warning}<span>${n}</span></p>`:e}
      <ul @keydown=${this.#i}>
        ${t.map(e=>this.#n(e))}
      </ul>
    `}#n(t){let n=t.id===null?null:T(t.id),r=g.variants.cell(t.strength,t.scale);return a`<li>
      <button @click=${()=>void Hn(t)}>
        <span class="picture">${n?this.#r(n):e}</span>
        <span class="small number">${r}</span>
        ${n&&!y(n.state)?a`<progress
                max=${n.progress?.steps??1}
                value=${n.progress?.step??0}
                aria-hidden="true"
              ></progress>`:e}
      </button>
    </li>`}#r(e){if(e.error)return a`<span class="error small">${h.warning}${e.error}</span>`;let t=`${e.state}-${e.picture??0}`;return a`<img src=${_.job(e.id,384,t)} alt="" />`}#i=e=>{let t={ArrowLeft:-1,ArrowRight:1,ArrowUp:-3,ArrowDown:3}[e.key];if(t===void 0)return;e.preventDefault();let n=[...this.renderRoot.querySelectorAll(`button`)];n[n.findIndex(e=>e===this.shadowRoot?.activeElement)+t]?.focus()};static styles=[l,c`
      :host {
        height: 100%;
        padding: 12px;
        overflow: auto;
      }

      ul {
        display: grid;
        grid-template: repeat(3, minmax(0, 1fr)) / repeat(3, minmax(0, 1fr));
        gap: 8px;
        height: 100%;
        min-height: 260px;
      }

      li {
        min-height: 0;
        min-width: 0;
      }

      button {
        display: flex;
        flex-direction: column;
        gap: 4px;
        width: 100%;
        height: 100%;
        padding: 4px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: transparent;
        cursor: pointer;
      }

      button:hover {
        border-color: var(--accent);
      }

      .picture {
        flex: 1;
        min-height: 0;
        display: grid;
        place-items: center;
      }

      img {
        width: 100%;
        height: 100%;
        object-fit: contain;
        min-height: 0;
      }

      progress {
        appearance: none;
        width: 100%;
        height: 3px;
        border: 0;
        background: var(--hover);
        color: var(--accent);
      }

      progress::-webkit-progress-bar {
        background: var(--hover);
      }

      progress::-webkit-progress-value {
        background: var(--accent);
      }

      progress::-moz-progress-bar {
        background: var(--accent);
      }
    `]};customElements.define(`studio-variants`,xr);var Y=new r({plan:null,busy:!1,error:null,field:null}),Sr=250,X=``,Cr=new AbortController,wr=s(Sr,()=>void Or());function Tr(){N.subscribe(Er),Er()}function Er(){let e=L(N.value),t=e?JSON.stringify(e):``;t!==X&&(X=t,Cr.abort(),t===``?Y.set({plan:null,busy:!1,error:null,field:null}):(Y.set({busy:!0}),wr()))}function Dr(){X!==``&&wr()}async function Or(){let e=X;if(e!==``){Cr=new AbortController;try{let t=await ce(JSON.parse(e),Cr.signal);e===X&&Y.set({plan:t,busy:!1,error:null,field:null})}catch(t){if(e!==X)return;let n=t instanceof le?t.field:null;Y.set({plan:null,busy:!1,error:p(t),field:n})}}}var kr=2048,Ar=512;function jr(){let{subject:e}=B.value;if(e.kind===`form`)return Mr();if(e.kind===`job`){let t=T(e.id);return t&&Nr(t)}return null}function Mr(){let{photo:e}=N.value;if(!e)return null;let{url:t,shown:n,busy:r,error:i}=K.value,a=r||n!==bn(),o=Ar/Math.max(e.width,e.height),s=[Math.round(e.width*o),Math.round(e.height*o)],c=_.file(e.sha256,kr),l=n.includes(e.sha256),u=t&&l?t:null,d=a&&i===null,f=u?g.canvas.preview:g.canvas.photo,p=i===Y.value.error?null:i;return{size:Y.value.plan?.size??s,base:u??c,live:null,holds:null,photo:c,label:d?g.canvas.previewBusy:f,message:p,isError:p!==null,paintsMask:!0}}function Nr(e){let t=e.job.inputs?.content,n=t&&typeof t==`object`?t.sha256:void 0,r=n?_.file(n,kr):null,i={size:e.size??e.plan?.size??[Ar,Ar],photo:r,isError:!1,message:null,paintsMask:!1};if(e.state===`done`){let t=_.shown(e.id);return{...i,base:t,live:null,holds:null,label:g.canvas.result}}let a=e.picture,o=a===null?null:{id:e.id,version:a};return{...i,base:o?_.live(o.id,o.version):r,live:o,holds:e.id,label:e.state===`running`&&o?g.canvas.live:g.state[e.state],message:Pr(e),isError:e.state===`failed`||e.state===`set-aside`}}function Pr({state:e,error:t,picture:n,progress:r}){return e===`set-aside`?t??g.state.setAside:t||(n===null&&r===null&&v(e)?g.canvas.waiting:null)}function Fr(){let{subject:e}=B.value,t=ke();if(e.kind===`form`&&t)return{url:t.picture===null?_.job(t.id,256,t.state):_.live(t.id,t.picture),label:g.canvas.live,toJob:t.id,isSmall:!1};let{url:n,busy:r,moved:i}=K.value,a=e.kind===`job`?T(e.id):null;return n&&a&&(i||y(a.state))?{url:n,label:r?g.canvas.previewBusy:g.canvas.preview,toJob:null,isSmall:!i}:null}var Ir=class extends n{static properties={narrow:{type:Boolean},dragging:{type:Boolean},zoom:{state:!0}};constructor(){super(),this.zoom=100}stores(){return[N,S,Y,K,B]}get#e(){return this.renderRoot.querySelector(`studio-stage`)}focusStage(){this.#e?.focus()}render(){let{subject:t,tool:n,showsLosses:r}=B.value,i=jr();return a`
      ${i?this.#n():e}
      ${n&&i?.paintsMask?a`<studio-mask-bar></studio-mask-bar>`:e}
      <div class="middle ${this.dragging?`target`:``}">
        ${t.kind===`variants`?a`<studio-variants></studio-variants>`:e}
        ${t.kind===`pair`?a`<studio-pair .ids=${t.ids}></studio-pair>`:e}
        ${i?this.#t(i):e}
        ${!i&&t.kind===`form`?a`<p class="empty muted">${g.canvas.empty}</p>`:e}
        ${this.dragging?a`<p class="chip drop">${g.intake.drop}</p>`:e}
      </div>
      ${r&&t.kind===`job`?a`<studio-losses .jobId=${t.id}></studio-losses>`:e}
      <studio-picture-bar></studio-picture-bar>
    `}#t(t){let n=Fr();return a`
      <studio-stage
        .scene=${t}
        .narrow=${this.narrow}
        @zoomed=${()=>this.zoom=this.#e?.zoomPercent??100}
      ></studio-stage>
      <span class="chip label">${B.value.showsPhoto?g.canvas.photo:t.label}</span>
      ${t.message?a`<p class="chip message ${t.isError?`error`:``}">
              ${t.isError?h.warning:e}<span>${t.message}</span>
            </p>`:e}
      ${n?a`<button
              class="inset ${n.isSmall?`small-inset`:``}"
              aria-label=${n.toJob?g.canvas.toLive:g.canvas.toPreview}
              title=${n.toJob?g.canvas.toLive:g.canvas.toPreview}
              @click=${()=>V(n.toJob?{kind:`job`,id:n.toJob}:{kind:`form`})}
            >
              <img src=${n.url} alt="" />
              <span class="chip">${n.label}</span>
            </button>`:e}
    `}#n(){let{divider:e,showsLosses:t,showsPhoto:n,subject:r}=B.value,i=e=>()=>B.set({showsPhoto:e});return a`<div class="tools" role="toolbar" aria-label=${g.regions.canvas}>
      <div class="group">
        ${this.#i(h.less,g.canvas.zoomOut,()=>this.#e?.zoomOut())}
        <span class="number zoom" aria-label=${g.canvas.zoom}>${this.zoom} %</span>
        ${this.#i(h.add,g.canvas.zoomIn,()=>this.#e?.zoomIn())}
        ${this.#i(h.fit,g.canvas.fit,()=>this.#e?.fit())}
        <button class="button plain" @click=${()=>this.#e?.showPixels()}>
          ${g.canvas.full}
        </button>
      </div>
      <div class="group">
        <button
          class="button plain"
          title=${g.canvas.holdPhotoHint}
          aria-pressed=${n}
          @pointerdown=${i(!0)}
          @pointerup=${i(!1)}
          @pointercancel=${i(!1)}
          @pointerleave=${i(!1)}
          @contextmenu=${e=>e.preventDefault()}
          @keydown=${e=>{(e.key===` `||e.key===`Enter`)&&i(!0)()}}
          @keyup=${i(!1)}
          @blur=${i(!1)}
        >
          ${h.eye}<span>${g.canvas.holdPhoto}</span>
        </button>
        <button
          class="button plain"
          title=${g.canvas.divider}
          aria-pressed=${e!==null}
          @click=${()=>B.set({divider:e===null?50:null})}
        >
          ${h.split}<span>${g.canvas.dividerShort}</span>
        </button>
      </div>
      <div class="group">
        ${r.kind===`form`?[this.#r(`region`,h.brush),this.#r(`keep`,h.keep)]:a`<button
                class="button plain"
                aria-expanded=${t}
                @click=${()=>{r.kind===`job`&&Be(r.id),B.set({showsLosses:!t})}}
              >
                ${h.chart}<span>${g.canvas.losses}</span>
              </button>`}
      </div>
    </div>`}#r(e,t){let n=e===`region`&&N.value.styles.length<2,r=n?g.canvas.regionNeeds:g.canvas[`${e}Hint`],i=N.value[e]!==null;return a`<button
      class="button plain ${i?`used`:``}"
      title=${r}
      aria-label=${r}
      aria-pressed=${B.value.tool===e}
      ?disabled=${n}
      @click=${()=>en(e)}
    >
      ${t}<span>${g.canvas[e]}</span>
    </button>`}#i(e,t,n){return a`<button
      class="button plain icon"
      aria-label=${t}
      title=${t}
      @click=${n}
    >
      ${e}
    </button>`}static styles=[l,c`
      :host {
        display: flex;
        flex-direction: column;
        min-width: 0;
        min-height: 0;
        background: var(--stage);
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 8px;
        padding: 4px 8px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      .group {
        display: flex;
        align-items: center;
        gap: 4px;
      }

      .zoom {
        min-width: 52px;
        text-align: center;
      }

      .used::after {
        content: "";
        width: 6px;
        height: 6px;
        border-radius: 50%;
        background: var(--accent);
      }

      .middle {
        position: relative;
        flex: 1;
        min-height: 0;
      }

      :host([narrow]) .middle {
        flex: none;
        height: min(64dvh, 100vw);
        min-height: 280px;
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: -8px;
      }

      .empty {
        display: grid;
        place-items: center;
        height: 100%;
        padding: 24px;
        text-align: center;
      }

      .chip {
        padding: 2px 8px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--panel);
        font-size: var(--small);
        line-height: 16px;
      }

      .label {
        position: absolute;
        left: 12px;
        top: 12px;
        pointer-events: none;
      }

      .message {
        position: absolute;
        left: 12px;
        right: 12px;
        bottom: 12px;
        width: fit-content;
        max-width: 480px;
        margin: 0 auto;
        padding: 8px 12px;
        font-size: var(--body);
        line-height: 20px;
      }

      .drop {
        position: absolute;
        left: 50%;
        top: 50%;
        translate: -50% -50%;
        padding: 12px 16px;
        border-color: var(--accent);
        color: var(--accent);
        font-size: var(--body);
        line-height: 20px;
        pointer-events: none;
      }

      .inset {
        position: absolute;
        right: 12px;
        top: 12px;
        padding: 0;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
        overflow: hidden;
        cursor: pointer;
      }

      .inset img {
        width: auto;
        height: auto;
        max-width: 144px;
        max-height: 144px;
        min-width: 96px;
      }

      .inset .chip {
        position: absolute;
        left: 4px;
        top: 4px;
      }

      .small-inset .chip {
        display: none;
      }

      @media (max-width: 959px) {
        .tools {
          flex-wrap: nowrap;
          overflow-x: auto;
          padding: 0 4px;
          gap: 0;
        }

        .group {
          gap: 0;
        }

        .inset img {
          max-width: 104px;
          max-height: 104px;
        }
      }

      .small-inset img {
        min-width: 48px;
        max-width: 64px;
        max-height: 64px;
      }

      @media (max-width: 760px) {
        .tools .button span,
        .zoom {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
          white-space: nowrap;
        }

        .tools .button {
          position: relative;
          padding: 0;
          min-width: 40px;
        }
      }
    `]};customElements.define(`studio-canvas`,Ir);var Lr=class extends oe{static properties={file:{attribute:!1},crop:{attribute:!1},alt:{}};render(){return a`<img src=${_.file(this.file.sha256,256)} alt=${this.alt} />`}updated(e){let t=this.renderRoot.querySelector(`img`);if(!t)return;let[n,r,i,a]=this.crop??[0,0,100,100],o=this.file.width*i/(this.file.height*a),[s,c]=o>1?[o,1]:[1,1/o],[l,u]=[(1-s)/2,(1-c)/2],d=(e,n)=>t.style.setProperty(e,`${n.toFixed(3)}%`);d(`width`,s*1e4/i),d(`height`,c*1e4/a),d(`left`,100*(l-s*n/i)),d(`top`,100*(u-c*r/a))}static styles=c`
    :host {
      display: block;
      position: relative;
      width: 100%;
      height: 100%;
      overflow: hidden;
    }

    img {
      position: absolute;
      max-width: none;
    }
  `};customElements.define(`crop-view`,Lr);var Z=new r({wanted:!0,sent:null}),Rr=300,zr={};function Br(){let e=ke(),t=L(N.value);return!e||!t||e.state!==`running`||t.options?.[`content-weight`]!=null?null:kt(e.job)===kt(t)?e:null}function Vr(e){let{sent:t}=Z.value;return t?.id===e.id&&e.adjustments.length<=t.after}var Hr=s(Rr,()=>void Ur());async function Ur(){let e=Br(),t=zr;zr={},e&&(Z.set({sent:{id:e.id,after:e.adjustments.length}}),await He(e.id,{action:`adjust`,...t})||Z.set({sent:null}))}function Wr(){return Z.value.wanted&&Br()!==null}function Gr(e){F(`strength`,e),Wr()&&(zr.strength=e,Hr())}function Kr(e){F(`tv-weight`,e),e!==void 0&&Wr()&&(zr[`tv-weight`]=e,Hr())}var qr=[0,25,50,75,100],Jr=class extends n{stores(){return[N,S,Z,Y,K]}render(){let{photo:t,styles:n,options:r}=N.value,i=I(r),o=r[`content-weight`],s=n[0];return a`<div class="dial">
      <div class="row between top">
        <h2><label for="number">${g.dial.heading}</label></h2>
        <input
          id="number"
          class="big"
          type="number"
          min="0"
          max="100"
          step="1"
          inputmode="numeric"
          aria-label=${g.dial.number}
          .value=${String(i)}
          ?disabled=${o!=null}
          @change=${this.#i}
          @keydown=${this.#a}
        />
      </div>
      <div class="track">
        <span class="end">
          ${t?a`<crop-view .file=${t} .crop=${null} alt=""></crop-view>`:e}
        </span>
        <div class="slide">
          <input
            type="range"
            min="0"
            max="100"
            step="1"
            aria-label=${g.dial.heading}
            aria-valuetext=${g.dial.value(i)}
            .value=${String(i)}
            ?disabled=${o!=null}
            @input=${this.#r}
            @keydown=${this.#a}
          />
          <div class="ticks" aria-hidden="true">${qr.map(()=>a`<i></i>`)}</div>
        </div>
        <span class="end">
          ${s?a`<crop-view .file=${s.file} .crop=${s.crop} alt=""></crop-view>`:e}
        </span>
      </div>
      <div class="row between small muted" aria-hidden="true">
        <span>${g.dial.photo}</span><span>${g.dial.painting}</span>
      </div>
      ${o==null?this.#e():this.#t(o)} ${this.#n()}
    </div>`}#e(){let t=Br();return t?a`<div class="row between">
      <label class="check small">
        <input
          type="checkbox"
          .checked=${Z.value.wanted}
          @change=${e=>Z.set({wanted:e.target.checked})}
        />
        ${g.dial.adjusts}
      </label>
      ${Vr(t)?a`<span class="small busy">${g.dial.adjusting}</span>`:e}
    </div>`:e}#t(e){return a`<p class="small">${g.dial.byWeight(e)}</p>
      <button class="button" @click=${()=>F(`content-weight`,void 0)}>
        ${g.dial.clearWeight}
      </button>`}#n(){let{field:t,error:n}=Y.value;return t===`options.strength`?a`<p class="error">${h.warning}<span>${n}</span></p>`:e}#r=e=>{Gr(Number(e.target.value))};#i=e=>{let t=e.target,n=Number(t.value),r=t.value.trim()!==``&&Number.isFinite(n)?Math.min(Math.max(n,0),100):I(N.value.options);t.value=String(r),Gr(r)};#a=e=>{let t=e.key===`PageUp`?10:e.key===`PageDown`?-10:0;t!==0&&(e.preventDefault(),Gr(Math.min(Math.max(I(N.value.options)+t,0),100)))};static styles=[l,c`
      .dial {
        padding: 8px 16px 16px;
      }

      .top {
        min-height: 64px;
      }

      h2 {
        font-size: 1rem;
      }

      .big {
        width: 104px;
        height: 56px;
        padding: 0 4px;
        border: 1px solid transparent;
        border-radius: var(--radius);
        background: transparent;
        font-size: 2.5rem;
        line-height: 56px;
        font-weight: 300;
        font-variant-numeric: tabular-nums;
        text-align: right;
      }

      .big:hover,
      .big:focus {
        border-color: var(--edge);
        background: var(--field);
      }

      .track {
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 4px 0;
      }

      .end {
        flex: none;
        width: 52px;
        height: 52px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
      }

      .slide {
        position: relative;
        flex: 1;
        min-width: 0;
      }

      .slide input {
        position: relative;
        z-index: 1;
        display: block;
        height: 52px;
        margin: 0;
      }

      .slide input::-webkit-slider-runnable-track {
        height: 6px;
        border-radius: 3px;
      }

      .slide input::-moz-range-track {
        height: 6px;
        border-radius: 3px;
      }

      .slide input::-webkit-slider-thumb {
        width: 28px;
        height: 28px;
        margin-top: -11px;
        border-width: 3px;
      }

      .slide input::-moz-range-thumb {
        width: 22px;
        height: 22px;
        border-width: 3px;
      }

      /* Ticks stand where the middle of the thumb comes to. */
      .ticks {
        position: absolute;
        inset: auto 13px 0;
        display: flex;
        justify-content: space-between;
      }

      .ticks i {
        width: 1px;
        height: 8px;
        background: var(--edge);
      }

      .busy {
        color: var(--accent);
      }

      .error {
        margin-top: 8px;
      }
    `]};customElements.define(`studio-dial`,Jr);var Q=[l,t,c`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 0;
    }
  `],Yr=class extends n{static properties={file:{attribute:!1},isRecipe:{attribute:!1}};render(){let{name:t,sha256:n,width:r,height:i}=this.file;return a`<div class="dialog-body">
        <img src=${_.file(n,512)} width=${r} height=${i} alt=${t} />
        <p>${this.isRecipe?g.intake.recipeHint(t):g.intake.askHint(t)}</p>
      </div>
      <div class="dialog-foot">
        ${this.isRecipe?a`<button class="button primary" autofocus @click=${this.#t}>
                ${g.intake.useRecipe}
              </button>`:e}
        <button
          class="button ${this.isRecipe?``:`primary`}"
          @click=${()=>this.#e(()=>rn(this.file,`photo`))}
        >
          ${g.intake.asPhoto}
        </button>
        <button class="button" @click=${()=>this.#e(()=>xt(this.file))}>
          ${g.intake.asOnlyStyle}
        </button>
        ${N.value.styles.length>0?a`<button class="button" @click=${()=>this.#e(()=>yt(this.file))}>
                ${g.intake.asStyle}
              </button>`:e}
      </div>`}#e(e){e(),W()}#t=async()=>{let{recipe:e}=this.file;if(W(),!e)return;let t=await cn(e);x(t.length>0?g.intake.missing(t):g.intake.filled)};static styles=[...Q,c`
      img {
        width: auto;
        height: auto;
        max-width: 100%;
        max-height: 280px;
        margin: 0 auto 16px;
        border: 1px solid var(--line);
      }
    `]};customElements.define(`studio-ask`,Yr);var Xr=class extends n{static properties={jobId:{},command:{state:!0},error:{state:!0},copied:{state:!0}};constructor(){super(),this.command=null,this.error=null,this.copied=`no`}connectedCallback(){super.connectedCallback(),this.#e()}async#e(){try{this.command=await ue(this.jobId)}catch(e){this.error=p(e)}}#t=async()=>{try{await navigator.clipboard.writeText(this.command?.command??``),this.copied=`yes`}catch{this.renderRoot.querySelector(`textarea`)?.select(),this.copied=`by-hand`}};render(){let{command:t,error:n}=this,r={no:g.command.copy,yes:g.command.copied,"by-hand":g.command.byHand};return a`<div class="dialog-body">
        ${n?a`<p class="error" role="alert">${h.warning}<span>${n}</span></p>`:e}
        ${t?a`<textarea
                class="field"
                readonly
                rows="5"
                spellcheck="false"
                aria-label=${g.command.label}
                .value=${t.command}
              ></textarea>`:e}
        ${t&&!t.exact?a`<p class="row note">
                ${h.warning}<span>${t.note??g.command.inexact}</span>
              </p>`:e}
      </div>
      <div class="dialog-foot">
        <button class="button primary" ?disabled=${!t} @click=${this.#t}>
          ${this.copied===`yes`?h.check:h.copy}${r[this.copied]}
        </button>
      </div>`}static styles=[...Q,c`
      textarea {
        display: block;
        font-family: var(--mono);
        resize: vertical;
      }

      .note {
        align-items: flex-start;
        margin-top: 12px;
      }
    `]};customElements.define(`studio-command`,Xr);var Zr=[1,2,4,8],Qr=[0,0,100,100],$r=2,ei=class extends n{static properties={index:{attribute:!1},crop:{state:!0}};#e=null;constructor(){super(),this.crop=null}stores(){return[N]}connectedCallback(){super.connectedCallback(),this.crop=this.#t?.crop??null}get#t(){return N.value.styles[this.index]??null}#n(e){let t=e.currentTarget.getBoundingClientRect(),n=e=>Math.min(Math.max(100*e,0),100);return[n((e.clientX-t.left)/t.width),n((e.clientY-t.top)/t.height)]}#r=e=>{e.preventDefault(),e.currentTarget.setPointerCapture(e.pointerId),this.#e=this.#n(e)};#i=e=>{if(!this.#e)return;let[t,n]=this.#e,[r,i]=this.#n(e),[a,o]=[Math.abs(r-t),Math.abs(i-n)];a<$r||o<$r||(this.crop=[Math.min(t,r),Math.min(n,i),a,o].map(ti))};#a=()=>{this.#e=null};#o(e,t){let n=[...this.crop??Qr],r=e<2,i=Math.min(Math.max(Number(t.value),+!r),r?99:100),a=r?e+2:e-2;n[e]=i,(n[a]??0)+i>100&&(n[a]=ti(100-i)),this.crop=n,t.value=String(i)}#s=()=>{let e=this.crop?.every((e,t)=>e===Qr[t])??!0;St(this.index,{crop:e?null:this.crop}),W()};updated(e){let t=this.renderRoot.querySelector(`.frame`),[n,r,i,a]=this.crop??Qr;t?.style.setProperty(`left`,`${n}%`),t?.style.setProperty(`top`,`${r}%`),t?.style.setProperty(`width`,`${i}%`),t?.style.setProperty(`height`,`${a}%`)}render(){let t=this.#t;if(!t)return e;let{file:n,rotations:r,trim:i}=t,o=this.crop??Qr;return a`<div class="dialog-body">
        <div class="columns">
          <div
            class="picture"
            @pointerdown=${this.#r}
            @pointermove=${this.#i}
            @pointerup=${this.#a}
            @pointercancel=${this.#a}
          >
            <img
              src=${_.file(n.sha256,1024)}
              width=${n.width}
              height=${n.height}
              alt=${g.styles.alt(n.name)}
              draggable="false"
            />
            <div class="frame"></div>
          </div>
          <div class="side">
            <p class="muted">${g.crop.hint}</p>
            <div class="numbers">
              ${g.crop.sides.map((e,t)=>a`<label>
                    <span>${e}</span>
                    <input
                      class="field number"
                      type="number"
                      min=${t<2?0:1}
                      max="100"
                      step="1"
                      inputmode="decimal"
                      .value=${String(o[t])}
                      @change=${e=>{this.#o(t,e.target)}}
                    />
                  </label>`)}
            </div>
            <label>
              <span>${g.crop.rotations}</span>
              <select
                class="field"
                @change=${e=>{let t=e.target.selectedIndex;St(this.index,{rotations:Zr[t]??1})}}
              >
                ${Zr.map(e=>a`<option .selected=${e===r}>${e}</option>`)}
              </select>
            </label>
            <p class="small muted">${g.crop.rotationsHint}</p>
            <label>
              <span>${g.crop.trim}</span>
              <select
                class="field"
                @change=${e=>{let t=e.target.selectedIndex;St(this.index,{trim:t===0?`auto`:`none`})}}
              >
                <option .selected=${i===`auto`}>${g.crop.trimWords.auto}</option>
                <option .selected=${i===`none`}>${g.crop.trimWords.none}</option>
              </select>
            </label>
          </div>
        </div>
      </div>
      <div class="dialog-foot">
        <button class="button" @click=${()=>this.crop=null}>${g.crop.all}</button>
        <button class="button primary" @click=${this.#s}>${g.crop.done}</button>
      </div>`}static styles=[...Q,c`
      .columns {
        display: flex;
        flex-wrap: wrap;
        gap: 20px;
      }

      .picture {
        position: relative;
        align-self: flex-start;
        max-width: 100%;
        overflow: hidden;
        cursor: crosshair;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }

      img {
        width: auto;
        height: auto;
        max-width: min(100%, 720px);
        max-height: 62dvh;
      }

      /* The wide outline darkens what is left out. */
      .frame {
        position: absolute;
        border: 2px solid #ffffff;
        outline: 2000px solid rgb(0 0 0 / 55%);
        pointer-events: none;
      }

      .side {
        flex: 1 1 240px;
        display: flex;
        flex-direction: column;
        gap: 12px;
      }

      .numbers {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 8px;
      }

      label span {
        display: block;
        margin-bottom: 4px;
      }
    `]};function ti(e){return Math.round(e*10)/10}customElements.define(`studio-crop`,ei);var ni=class extends n{static properties={error:{state:!0}};constructor(){super(),this.error=null}stores(){return[M]}connectedCallback(){super.connectedCallback(),lt().catch(e=>{this.error=p(e)})}render(){let{info:t}=M.value;return a`<div class="dialog-body">
      ${this.error?a`<p class="error" role="alert">${h.warning}<span>${this.error}</span></p>`:e}
      ${t?a`<dl>
                ${ri(g.devices.program,t.program)} ${ri(g.devices.device,t.device)}
                ${ri(g.devices.threads,String(t.threads))}
                ${ri(g.devices.memory,Ke(t.memory))}
                ${ri(g.devices.limits,g.devices.limit(Ke(t.limits[`file-bytes`]),Math.round(t.limits.pixels/1e6)))}
              </dl>
              <h3>${g.devices.workers}</h3>
              ${t.workers.length===0?a`<p class="muted">${g.devices.none}</p>`:e}
              <ul>
                ${t.workers.map(({name:e,device:t,state:n,seen:r})=>a`<li class="row between">
                      <span class="grow"
                        ><strong>${e}</strong> <span class="muted">${t}</span></span
                      >
                      <span>${g.devices[n]}</span>
                      <span class="small muted">${g.devices.seen(Xe(r))}</span>
                    </li>`)}
              </ul>`:e}
    </div>`}static styles=[...Q,c`
      dl {
        display: grid;
        grid-template-columns: minmax(120px, auto) 1fr;
        gap: 8px 16px;
      }

      dt {
        color: var(--muted);
      }

      dd {
        overflow-wrap: anywhere;
      }

      h3 {
        margin: 20px 0 8px;
      }

      li {
        flex-wrap: wrap;
        min-height: 44px;
        border-top: 1px solid var(--line);
      }
    `]};function ri(e,t){return a`<dt>${e}</dt>
    <dd>${t}</dd>`}customElements.define(`studio-devices`,ni);var ii=class extends n{render(){let{help:e}=g;return a`<div class="dialog-body">
      <h3>${e.dialHeading}</h3>
      <ol>
        ${e.dial.map(e=>a`<li>${e}</li>`)}
      </ol>
      <h3>${e.keysHeading}</h3>
      <dl>
        ${e.keys.map(([e,t])=>a`<dt><kbd>${e}</kbd></dt>
              <dd>${t}</dd>`)}
      </dl>
      <h3>${e.apiHeading}</h3>
      <p>${e.api} <a href="/docs">${e.apiLink}</a></p>
    </div>`}static styles=[...Q,c`
      h3 {
        margin: 20px 0 8px;
      }

      h3:first-child {
        margin-top: 0;
      }

      ol {
        display: grid;
        gap: 4px;
        padding-left: 20px;
      }

      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 20px;
      }

      kbd {
        font-family: var(--font);
        font-weight: 600;
        white-space: pre-wrap;
      }
    `]};customElements.define(`studio-help`,ii);var ai={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},oi=e=>(...t)=>({_$litDirective$:e,values:t}),si=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:ci}=o,li=e=>e,ui=()=>document.createComment(``),di=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new ci(r.insertBefore(ui(),i),r.insertBefore(ui(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=li(e).nextSibling;li(r).insertBefore(e,i),e=t}}}return n},$=(e,t,n=e)=>(e._$AI(t,n),e),fi={},pi=(e,t=fi)=>e._$AH=t,mi=e=>e._$AH,hi=e=>{e._$AR(),e._$AA.remove()},gi=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},_i=oi(class extends si{constructor(e){if(super(e),e.type!==ai.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=mi(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=$(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=$(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=$(i[d],a[m]),di(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=$(i[f],a[p]),di(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=gi(o,p,m),u=gi(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=di(e,i[d]);$(t,a[p]),c[p]=t}else c[p]=$(n,a[p]),di(e,i[d],n),i[t]=null;p++}else hi(i[f]),f--}else hi(i[d]),d++;for(;p<=m;){let t=di(e,c[m+1]);$(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&hi(e)}return this.ut=o,pi(e,c),ae}}),vi=24,yi=250,bi=class extends n{static properties={ids:{state:!0},next:{state:!0},search:{state:!0},favourites:{state:!0},picked:{state:!0},error:{state:!0},busy:{state:!0}};#e=0;constructor(){super(),this.ids=[],this.next=null,this.search=``,this.favourites=!1,this.picked=[],this.error=null,this.busy=!0}stores(){return[S]}connectedCallback(){super.connectedCallback(),this.#t(!1)}async#t(e){let t=++this.#e;this.busy=!0;try{let n=await te({limit:vi,before:e?this.next:null,search:this.search.trim(),favourite:this.favourites||null});if(t!==this.#e)return;E(...n.jobs);let r=n.jobs.map(e=>e.id);this.ids=e?[...this.ids,...r]:r,this.next=n.next,this.error=null}catch(e){t===this.#e&&(this.error=p(e))}t===this.#e&&(this.busy=!1)}#n=s(yi,()=>void this.#t(!1));#r(e){let t=this.picked.filter(t=>t!==e);this.picked=t.length<this.picked.length?t:[...this.picked,e].slice(-2)}async#i(e){let t=this.ids.indexOf(e);this.picked=this.picked.filter(t=>t!==e),await We(e,()=>void this.#t(!1)),await this.updateComplete;let n=this.renderRoot.querySelectorAll(`.open`);n[Math.min(t,n.length-1)]?.focus()}#a=()=>{let[e,t]=this.picked;e&&t&&(V({kind:`pair`,ids:[e,t]}),W())};render(){let t=this.ids.map(T).filter(e=>e!==null),n=this.search.trim()!==``||this.favourites;return a`
      <div class="filter">
        <label class="search">
          ${h.search}
          <input
            class="field"
            type="search"
            placeholder=${g.history.search}
            aria-label=${g.history.search}
            .value=${this.search}
            @input=${e=>{this.search=e.target.value,this.#n()}}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            .checked=${this.favourites}
            @change=${e=>{this.favourites=e.target.checked,this.#t(!1)}}
          />
          ${g.history.favourites}
        </label>
        <button class="button" ?disabled=${this.picked.length!==2} @click=${this.#a}>
          ${h.compare}${this.picked.length===2?g.history.compare:g.history.compareHint(this.picked.length)}
        </button>
      </div>
      <div class="dialog-body" tabindex="-1">
        ${this.error?a`<p class="error" role="alert">${h.warning}<span>${this.error}</span></p>`:e}
        ${t.length===0&&!this.busy&&!this.error?a`<p class="muted none">
                ${n?g.history.noneFound:g.history.none}
              </p>`:e}
        <ul>
          ${_i(t,({id:e})=>e,e=>this.#o(e))}
        </ul>
        ${this.next===null?e:a`<button
                class="button more"
                ?disabled=${this.busy}
                @click=${()=>void this.#t(!0)}
              >
                ${g.history.more}
              </button>`}
      </div>
    `}#o(e){let{id:t,title:n,favourite:r,state:i,created:o}=e,s=this.picked.includes(t),c=[g.history.strength(I(C(e).options??{})),...e.size?[j(e.size)]:[],...i===`done`?[]:[g.state[i]]];return a`<li class=${s?`picked`:``}>
      <button
        class="open"
        aria-label=${g.history.open(n)}
        @click=${()=>{kn(t),W()}}
      >
        <img src=${_.job(t,384,i)} alt="" loading="lazy" />
      </button>
      <div class="title" title=${n}>${n}</div>
      <div class="small muted number">${c.join(`, `)}</div>
      <div class="row between tools">
        <span class="small muted number">${Xe(o)}</span>
        <span class="row">
          ${this.#s(h.compare,g.history.pick(n),s,()=>this.#r(t))}
          ${this.#s(r?h.starred:h.star,g.history.star(n),r,()=>void Ue(t))}
          ${this.#s(h.trash,g.history.remove(n),null,()=>{this.#i(t)})}
        </span>
      </div>
    </li>`}#s(t,n,r,i){return a`<button
      class="button plain icon"
      aria-label=${n}
      title=${n}
      aria-pressed=${r??e}
      @click=${i}
    >
      ${t}
    </button>`}static styles=[...Q,c`
      .filter {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px 16px;
        padding: 12px 20px;
        border-bottom: 1px solid var(--line);
      }

      .search {
        position: relative;
        flex: 1 1 200px;
      }

      .search svg {
        position: absolute;
        left: 8px;
        top: 50%;
        translate: 0 -50%;
        color: var(--muted);
      }

      .search .field {
        padding-left: 36px;
      }

      .dialog-body {
        min-height: min(480px, 60dvh);
      }

      .none {
        padding: 64px 16px;
        text-align: center;
      }

      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(176px, 100%), 1fr));
        gap: 12px;
      }

      li {
        min-width: 0;
        padding: 8px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }

      .picked {
        border-color: var(--accent);
        outline: 1px solid var(--accent);
      }

      .open {
        display: block;
        width: 100%;
        aspect-ratio: 4 / 3;
        margin-bottom: 8px;
        padding: 0;
        border: 0;
        background: var(--stage);
        cursor: pointer;
      }

      .open img {
        width: 100%;
        height: 100%;
        object-fit: contain;
      }

      .title {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .tools .row {
        gap: 0;
      }

      .tools {
        flex-wrap: wrap;
        margin: 4px -4px -4px 0;
      }

      @media (max-width: 600px) {
        .filter {
          padding: 8px 16px;
          gap: 4px 8px;
        }

        .search {
          flex-basis: 100%;
        }

        .filter .button {
          margin-left: auto;
          padding-inline: 8px;
        }

        .filter .check {
          font-size: var(--small);
        }

        ul {
          grid-template-columns: repeat(auto-fill, minmax(min(144px, 100%), 1fr));
        }

        .filter .button {
          font-size: var(--small);
        }
      }

      .more {
        display: flex;
        margin: 20px auto 0;
      }
    `]};customElements.define(`studio-history`,bi);var xi=class extends n{stores(){return[b]}render(){return a`<div class="list" role="status">
      ${_i(b.value.list,({id:e})=>e,e=>this.#e(e))}
    </div>`}#e({id:t,message:n,isError:r,undo:i}){return a`<div class="toast ${r?`bad`:``}">
      <span class="grow">${n}</span>
      ${i?a`<button
              class="button"
              @click=${()=>{xe(t),i()}}
            >
              ${h.undo}${g.undo}
            </button>`:e}
      <button
        class="button plain icon"
        aria-label=${g.dismiss}
        title=${g.dismiss}
        @click=${()=>xe(t)}
      >
        ${h.close}
      </button>
    </div>`}static styles=[l,c`
      .list {
        position: fixed;
        inset: auto 0 112px;
        z-index: 4;
        display: grid;
        gap: 8px;
        width: min(520px, calc(100vw - 32px));
        margin: 0 auto;
      }

      .toast {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 8px 8px 16px;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--raised);
        overflow-wrap: anywhere;
      }

      .bad {
        border-color: var(--error);
      }
    `]};customElements.define(`studio-toasts`,xi);var Si=class extends n{#e=null;stores(){return[H]}updated(e){let t=this.renderRoot.querySelector(`dialog`),{open:n}=H.value;t&&n!==this.#e&&(this.#e=n,n&&!t.open&&t.showModal(),n||t.close())}render(){let{open:t}=H.value;return a`<dialog
      class=${t?.kind===`history`||t?.kind===`crop`?`wide`:``}
      aria-labelledby="title"
      @close=${()=>H.value.open&&W()}
      @click=${e=>{e.target===e.currentTarget&&W()}}
    >
      ${t?a`<div class="dialog-head">
                <h2 id="title">${Ci(t)}</h2>
                <button
                  class="button plain icon"
                  aria-label=${g.close}
                  title=${g.close}
                  @click=${W}
                >
                  ${h.close}
                </button>
              </div>
              ${wi(t)}
              <studio-toasts></studio-toasts>`:e}
    </dialog>`}static styles=[l,t]};function Ci(e){switch(e.kind){case`history`:return g.history.heading;case`devices`:return g.devices.heading;case`help`:return g.help.heading;case`crop`:return g.crop.heading(N.value.styles[e.index]?.file.name??``);case`ask`:return g.intake.ask;case`recipe`:return g.intake.recipe;case`command`:return g.command.heading}}function wi(e){switch(e.kind){case`history`:return a`<studio-history></studio-history>`;case`devices`:return a`<studio-devices></studio-devices>`;case`help`:return a`<studio-help></studio-help>`;case`crop`:return a`<studio-crop .index=${e.index}></studio-crop>`;case`ask`:case`recipe`:return a`<studio-ask .file=${e.file} .isRecipe=${e.kind===`recipe`}></studio-ask>`;case`command`:return a`<studio-command .jobId=${e.id}></studio-command>`}}customElements.define(`studio-dialogs`,Si);var Ti={system:h.auto,light:h.sun,dark:h.moon},Ei=class extends n{static properties={narrow:{type:Boolean}};stores(){return[u]}render(){let{choice:e}=u.value;return a`<header>
      <h1>${g.program}</h1>
      <nav>
        ${this.#e({kind:`history`},g.header.history,h.clock)}
        ${this.#e({kind:`devices`},g.header.devices,h.device)}
        ${this.#e({kind:`help`},g.header.help,h.help)}
        <button
          class="button plain icon"
          aria-label=${g.header.theme[e]}
          title=${g.header.theme[e]}
          @click=${ge}
        >
          ${Ti[e]}
        </button>
      </nav>
    </header>`}#e(e,t,n){return a`<button
      class="button plain ${this.narrow?`icon`:``}"
      aria-haspopup="dialog"
      title=${t}
      @click=${()=>U(e)}
    >
      ${n}<span class=${this.narrow?`hidden`:``}>${t}</span>
    </button>`}static styles=[l,c`
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-height: 52px;
        padding: 4px 8px 4px 16px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }

      h1 {
        font-size: 1.125rem;
        line-height: 24px;
        font-weight: 600;
        letter-spacing: 0.01em;
      }

      nav {
        display: flex;
        gap: 4px;
      }

      nav .button {
        position: relative;
      }
    `]};customElements.define(`studio-header`,Ei);var Di=.03,Oi=class extends n{static properties={narrow:{type:Boolean}};stores(){return[N,S,q,R,Y,B]}render(){let t=ke();return a`<div class="make">
      ${t?this.#n(t):e} ${this.#e(t)}
    </div>`}#e(t){if(t&&this.narrow)return e;let{plan:n,error:r}=Y.value,i=n!==null&&r===null&&!q.value.busy,o=t?g.make.queue:g.make.make;return a`
      ${this.#t()}
      <button
        class="button wide ${t?``:`primary`}"
        ?disabled=${!i}
        aria-describedby="cost"
        @click=${()=>void An()}
      >
        ${o}
      </button>
    `}#t(){let{plan:e,busy:t,error:n}=Y.value,r=q.value.error??R.value.error??n;if(r)return a`<p id="cost" class="error small" role="alert">
        ${h.warning}<span>${r}</span>
      </p>`;let{photo:i,styles:o}=N.value,s=g.make.planning;if(!i)s=g.make.needsPhoto;else if(o.length===0)s=g.make.needsStyle;else if(e){let t=Ge(e.seconds),n=Ze(e.device_summary);s=g.make.cost(j(e.size),t,Ke(e.peak_memory),n)}return a`<p id="cost" class="small number cost ${t?`stale`:``}">${s}</p>`}#n(t){let n=O().filter(e=>v(e.state)).length-1,{subject:r}=B.value,i=r.kind===`job`&&r.id===t.id,o=S.value.refusals[t.id];return a`<section aria-label=${t.title}>
      <div class="row between">
        <span class="title" title=${t.title}>${t.title}</span>
        ${i?e:a`<button class="button plain" @click=${()=>V({kind:`job`,id:t.id})}>
                ${h.eye}${g.make.show}
              </button>`}
      </div>
      <studio-progress .job=${t}></studio-progress>
      ${this.#a()}
      <div class="row buttons">${this.#r(t)} ${this.#i(t)}</div>
      ${o?a`<p class="error small" role="alert">${h.warning}<span>${o}</span></p>`:e}
      ${n>0?a`<p class="small muted">${g.make.more(n)}</p>`:e}
    </section>`}#r(e){let t=e.state===`paused`,n=e.wanted===`pause`,r=t?g.make.resume:n?g.make.pausing:g.make.pause;return a`<button
      class="button grow"
      ?disabled=${n||e.wanted===`cancel`}
      @click=${()=>void He(e.id,{action:t?`resume`:`pause`})}
    >
      ${t?h.play:h.pause}${r}
    </button>`}#i(e){let t=e.wanted===`cancel`;return a`<button
      class="button grow"
      ?disabled=${t}
      @click=${()=>void He(e.id,{action:`cancel`})}
    >
      ${h.close}${t?g.make.cancelling:g.make.cancel}
    </button>`}#a(){if(this.narrow||!Br())return e;let t=N.value.options[`tv-weight`];return a`<label class="row between smoothing">
      <span>${g.make.smoothing}</span>
      <input
        class="field number"
        type="number"
        min="0"
        step="0.01"
        inputmode="decimal"
        placeholder=${Di}
        .value=${t==null?``:String(t)}
        @change=${e=>{let t=e.target.value;Kr(t===``?void 0:Math.max(0,Number(t)))}}
      />
    </label>`}static styles=[l,c`
      .make {
        display: grid;
        gap: 8px;
        padding: 12px 16px 16px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }

      section {
        display: grid;
        gap: 8px;
        padding-bottom: 12px;
        margin-bottom: 4px;
        border-bottom: 1px solid var(--line);
      }

      section:last-child {
        padding-bottom: 0;
        margin-bottom: 0;
        border-bottom: 0;
      }

      .title {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-weight: 600;
      }

      .wide {
        width: 100%;
        min-height: 48px;
        font-size: 1rem;
      }

      .cost {
        text-align: center;
      }

      .stale {
        color: var(--muted);
      }

      .smoothing input {
        width: 88px;
        text-align: right;
      }

      @media (max-width: 959px) {
        .make {
          padding: 8px 16px;
        }

        .wide {
          min-height: 44px;
        }
      }
    `]};customElements.define(`studio-make`,Oi);function ki(e,t){if(e.$ref)return ki(t.$defs?.[e.$ref.split(`/`).pop()??``]??{},t);let n=e.anyOf?.filter(e=>e.type!==`null`),[r]=n??[];if(n?.length===1&&r){let{anyOf:n,...i}=e;return{...ki(r,t),...i}}return e}function Ai({type:e}){return e===void 0?[]:Array.isArray(e)?e:[e]}function ji(e=``){let t=e.replace(/\n(?!\n)/g,` `).replace(/ {2,}/g,` `).replace(/(^|[\s(])--(?=[a-z])/g,`$1`),n=/\s*\[default: ([^\]]*)\]/.exec(t);return{help:t.replace(n?.[0]??``,``).trim(),standard:n?.[1]?.trim()??``}}function Mi(e,t){let n=Ai(e),r=e.oneOf?.filter(e=>typeof e.const==`string`)??[];if(r.length>0&&r.length===e.oneOf?.length)return{kind:`choice`,words:r.map(e=>({value:String(e.const),help:ji(e.description?.split(`

`)[0]).help}))};if(e.enum)return{kind:`choice`,words:e.enum.filter(e=>e!==null).map(e=>({value:String(e),help:``}))};if(n.includes(`boolean`))return{kind:`flag`};if(n.includes(`integer`)||n.includes(`number`))return{kind:`number`,isWhole:n.includes(`integer`)};if(!n.includes(`array`))return{kind:`text`,separator:null};let{examples:i=[]}=e.items?ki(e.items,t):{};return{kind:`text`,separator:i.some(e=>String(e).includes(`,`))?` `:`,`}}function Ni(e,t,n){let r=e.$defs?.[t]?.properties??{},i=({"x-kinds":e})=>e?.includes(n)??!0;return Object.entries(r).filter(([,e])=>i(e)).map(([t,n])=>({name:t,control:Mi(ki(n,e),e),...ji(n.description)}))}var Pi=new Set([`strength`,`preset`,`size`,`colors`,`style-scale`,`brush`]),Fi=[`content`,`noise`,`grey`],Ii=class extends n{#e=new Map;stores(){return[N,Y,M]}render(){let{schema:t}=M.value,n=(t?Ni(t,`JobOptions`,`transfer`):[]).filter(({name:e})=>!Pi.has(e)),r=n.filter(({name:e})=>e in N.value.options).length+ +!!N.value.init;return a`<details>
      <summary>
        <span class="row">${h.sliders}${g.more.heading}</span>
        <span class="small muted">${r>0?g.more.changed(r):``}</span>
      </summary>
      ${t?e:a`<p class="muted">${g.more.loading}</p>`} ${this.#t(n)}
      ${r>0?a`<button class="button" @click=${()=>this.#o(n)}>
              ${g.more.reset}
            </button>`:e}
    </details>`}#t(t){let n=new Set(g.more.groups.flatMap(e=>e.names)),r=t.map(({name:e})=>e).filter(e=>!n.has(e)),i=[...g.more.groups,{title:g.more.others,names:r}],o=new Map(t.map(e=>[e.name,e]));return i.map(({title:e,names:t})=>({title:e,list:t.map(e=>o.get(e)).filter(e=>e!==void 0)})).filter(({list:e})=>e.length>0).map(({title:t,list:n},r)=>a`<fieldset>
            <legend class="small muted">${t}</legend>
            ${r===0?this.#n():e} ${n.map(e=>this.#r(e))}
          </fieldset>`)}#n(){let{init:e}=N.value;return a`<div class="item">
      <label for="init">${g.more.init}</label>
      <select
        id="init"
        class="field"
        @change=${e=>{let t=e.target.selectedIndex;N.set({init:t===0?null:Fi[t]??null})}}
      >
        ${Fi.map(t=>a`<option .selected=${t===(e??`content`)}>
              ${g.more.initWords[t]}
            </option>`)}
      </select>
    </div>`}#r(t){let{name:n,control:r,help:i,standard:o}=t,s=o.split(`;`)[0]??``,c=g.more.names[n]??n,l=N.value.options[n],u=Y.value.field===`options.${n}`?Y.value.error:null,d=this.#e.get(n)??u,f=d?`true`:`false`,p=e=>{this.#i(t,e.target.value)},m=r.kind===`choice`?r.words.find(e=>e.value===(l??s))?.help??``:``,ee=r.kind===`text`?r.separator??``:``,te=Array.isArray(l)?l.join(ee):String(l??``),ne;if(r.kind===`flag`)ne=a`<label class="check">
        <input
          type="checkbox"
          .checked=${l===!0}
          aria-describedby="help-${n}"
          @change=${e=>this.#a(n,e.target.checked||void 0)}
        />
        ${c}
      </label>`;else if(r.kind===`choice`){let e=s?g.more.standard(s):g.more.isStandard;ne=a`<label for=${n}>${c}</label>
        <select
          id=${n}
          class="field"
          aria-describedby="help-${n} error-${n}"
          aria-invalid=${f}
          @change=${p}
        >
          <option value="" .selected=${l===void 0}>${e}</option>
          ${r.words.map(e=>a`<option value=${e.value} .selected=${String(l)===e.value}>
                ${e.value}
              </option>`)}
        </select>`}else ne=a`<label for=${n}>${c}</label>
        <input
          id=${n}
          class="field"
          type="text"
          inputmode=${r.kind===`number`?r.isWhole?`numeric`:`decimal`:`text`}
          autocomplete="off"
          spellcheck="false"
          placeholder=${s}
          aria-describedby="help-${n} error-${n}"
          aria-invalid=${f}
          .value=${te}
          @change=${p}
        />`;return a`<div class="item">
      ${ne}
      <p id="help-${n}" class="small muted">
        ${i} ${m} ${s===o?e:g.more.standardHelp(o)}
      </p>
      ${d?a`<p id="error-${n}" class="error small">${h.warning}<span>${d}</span></p>`:e}
    </div>`}#i({name:e,control:t},n){let r=n.trim();if(this.#e.delete(e),r===``)return this.#a(e,void 0);if(t.kind===`number`){let t=Number(r);return Number.isFinite(t)?this.#a(e,Number.isInteger(t)&&!Number.isSafeInteger(t)?r:t):(this.#e.set(e,g.more.badNumber),this.requestUpdate())}if(t.kind===`text`&&t.separator){let n=r.split(t.separator).map(e=>e.trim());return this.#a(e,n.filter(e=>e!==``))}this.#a(e,t.kind===`text`&&/^\d+$/.test(r)?Number(r):r)}#a(e,t){e===`tv-weight`?Kr(t):F(e,t),this.requestUpdate()}#o(e){this.#e.clear();let t=new Set(e.map(({name:e})=>e)),n=Object.entries(N.value.options).filter(([e])=>!t.has(e));N.set({options:Object.fromEntries(n),init:null})}static styles=[l,c`
      details {
        border-top: 1px solid var(--line);
        padding-bottom: 16px;
      }

      summary {
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-height: 48px;
        cursor: pointer;
        font-weight: 600;
        list-style: none;
      }

      summary::-webkit-details-marker {
        display: none;
      }

      summary::after {
        content: "";
        width: 8px;
        height: 8px;
        margin: 0 4px 4px 8px;
        border: solid currentColor;
        border-width: 0 1.5px 1.5px 0;
        rotate: 45deg;
      }

      summary .row {
        flex: 1;
      }

      details[open] summary::after {
        rotate: 225deg;
        margin: 4px 4px 0 8px;
      }

      fieldset {
        padding: 8px 0 16px;
        border-top: 1px solid var(--line);
      }

      legend {
        float: left;
        width: 100%;
        margin-bottom: 8px;
      }

      .item {
        clear: both;
        padding-bottom: 12px;
      }

      .item > label {
        display: block;
        margin-bottom: 4px;
      }

      .item > label.check {
        display: flex;
      }

      .item p {
        margin-top: 4px;
      }
    `]};customElements.define(`studio-more`,Ii);var Li=[`draft`,`standard`,`fine`],Ri=[`style`,`content`,`luminance`,`matched`],zi=[256,512,768,1024,2048],Bi=1024,Vi=512,Hi=2,Ui=class extends n{stores(){return[N,Y]}render(){let{options:e}=N.value;return a`<div class="options">
      ${this.#e(e.preset??`standard`)} ${this.#t(e)}
      ${this.#r(e.colors??`style`)} ${this.#i(e[`style-scale`]??1)}
      ${this.#a(e.brush??50)}
      <studio-more></studio-more>
    </div>`}#e(e){return a`<fieldset>
      <legend>${g.options.preset}</legend>
      <div class="segments">
        ${Li.map(t=>a`<label>
              <input
                type="radio"
                name="preset"
                .checked=${t===e}
                @change=${()=>F(`preset`,t===`standard`?void 0:t)}
              />
              <span>${g.options.presets[t]}</span>
            </label>`)}
      </div>
      <p class="small muted">${g.options.presetHelp[e]}</p>
      ${this.#s(`preset`)}
    </fieldset>`}#t({size:t,preset:n,upscale:r}){let i=n===`fine`?Bi:Vi,{photo:o}=N.value,s=o?Math.max(o.width,o.height):0,c=t===`original`?s:Number(t??i);return a`<div class="group">
      <div class="row between">
        <label class="title" for="size">${g.options.size}</label>
        <span class="small muted">${g.options.sizeHint}</span>
      </div>
      <div class="row">
        <span class="unit">
          <input
            id="size"
            class="field number"
            type="number"
            min="16"
            step="1"
            inputmode="numeric"
            placeholder=${i}
            aria-invalid=${Y.value.field===`options.size`?`true`:`false`}
            .value=${t===`original`?String(s):t==null?``:String(t)}
            @change=${e=>this.#n(e.target)}
          />
          <span class="muted" aria-hidden="true">${g.units.px}</span>
        </span>
        <button
          class="button grow"
          aria-pressed=${t===`original`}
          @click=${()=>F(`size`,`original`)}
        >
          ${g.options.original}
        </button>
      </div>
      <div class="sizes" role="group" aria-label=${g.options.size}>
        ${zi.map(e=>a`<button
              class="button number"
              aria-pressed=${e===c&&t!==`original`}
              @click=${()=>F(`size`,e===i?void 0:e)}
            >
              ${e}
            </button>`)}
      </div>
      ${s>0&&(c>s||r)?a`<label class="check small">
              <input
                type="checkbox"
                .checked=${r??!1}
                @change=${e=>F(`upscale`,e.target.checked||void 0)}
              />
              ${g.options.upscale(s)}
            </label>`:e}
      ${this.#s(`size`)}
    </div>`}#n(e){let t=Math.round(Number(e.value));F(`size`,e.value.trim()===``||!(t>=1)?void 0:t)}#r(e){return a`<div class="group">
      <label class="title" for="colors">${g.options.colors}</label>
      <select
        id="colors"
        class="field"
        @change=${e=>{let t=Ri[e.target.selectedIndex];F(`colors`,t===`style`?void 0:t)}}
      >
        ${Ri.map(t=>a`<option .selected=${t===e}>${g.options.colorWords[t]}</option>`)}
      </select>
      ${this.#s(`colors`)}
    </div>`}#i(e){let t=e=>{F(`style-scale`,e===1||!(e>0)?void 0:e)};return this.#o({id:`style-scale`,label:g.options.styleScale,value:e,position:Math.log2(e),range:[-2,Hi,.05],ends:[g.options.fine,g.options.broad],moved:e=>t(Number((2**e).toFixed(2))),typed:t,step:`any`})}#a(e){let t=e=>{F(`brush`,e===50?void 0:Math.min(Math.max(e,0),100))};return this.#o({id:`brush`,label:g.options.brush,value:e,position:e,range:[0,100,1],ends:[g.options.fine,g.options.broad],moved:t,typed:t,step:`1`})}#o(e){let{id:t,label:n,value:r,position:i,range:o,ends:s,moved:c,typed:l,step:u}=e,d=e=>Number(e.target.value);return a`<div class="group">
      <div class="row between">
        <label class="title" for=${t}>${n}</label>
        <input
          class="field number value"
          type="number"
          min=${t===`brush`?0:.05}
          step=${u}
          inputmode="decimal"
          aria-label=${n}
          .value=${String(r)}
          @change=${e=>l(d(e))}
        />
      </div>
      <input
        id=${t}
        type="range"
        min=${o[0]}
        max=${o[1]}
        step=${o[2]}
        aria-valuetext=${r}
        .value=${String(i)}
        @input=${e=>c(d(e))}
      />
      <div class="row between small muted ends" aria-hidden="true">
        <span>${s[0]}</span><span>${s[1]}</span>
      </div>
      ${this.#s(t)}
    </div>`}#s(t){let{field:n,error:r}=Y.value;return n===`options.${t}`?a`<p class="error small">${h.warning}<span>${r}</span></p>`:e}static styles=[l,c`
      .options {
        padding: 0 16px;
      }

      fieldset,
      .group {
        padding: 12px 0;
        border-top: 1px solid var(--line);
      }

      .title,
      legend {
        font-weight: 600;
      }

      legend {
        float: left;
        width: 100%;
        margin-bottom: 8px;
      }

      legend + * {
        clear: both;
      }

      .group > .row {
        margin-bottom: 4px;
      }

      .sizes {
        margin-top: 8px;
      }

      .segments {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        overflow: hidden;
      }

      .segments label {
        position: relative;
        cursor: pointer;
      }

      .segments input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: pointer;
      }

      .segments span {
        display: grid;
        place-items: center;
        min-height: var(--target);
        background: var(--raised);
        border-left: 1px solid var(--line);
      }

      .segments label:first-child span {
        border-left: 0;
      }

      .segments input:checked + span {
        background: var(--accent);
        color: var(--on-accent);
        font-weight: 600;
      }

      .segments input:focus-visible + span {
        outline: 2px solid var(--text);
        outline-offset: -4px;
      }

      fieldset p {
        margin-top: 8px;
      }

      .unit {
        position: relative;
        flex: 1.4;
        min-width: 0;
      }

      .unit input {
        padding-right: 32px;
      }

      .unit span {
        position: absolute;
        right: 8px;
        top: 50%;
        translate: 0 -50%;
      }

      .sizes {
        display: grid;
        grid-template-columns: repeat(5, 1fr);
        gap: 4px;
      }

      .sizes .button {
        padding: 4px 0;
        min-width: 0;
      }

      select {
        margin-top: 8px;
      }

      .value {
        width: 72px;
        text-align: right;
      }

      .group > .ends {
        margin: 0;
      }

      .group > input[type="range"] {
        display: block;
        height: 28px;
      }

      @media (pointer: coarse), (max-width: 959px) {
        .group > input[type="range"] {
          height: var(--target);
        }
      }

      .error {
        margin-top: 8px;
      }
    `]};customElements.define(`studio-options`,Ui);var Wi=class extends n{static properties={dragging:{type:Boolean}};stores(){return[N,G,Y,M]}render(){let{photo:t}=N.value;return a`<section @drop=${e=>on(e,`photo`)}>
      <div class="row between head">
        <h2>${g.photo.heading}</h2>
        ${t?a`<button class="button plain" @click=${()=>an(`photo`,!1)}>
                ${h.upload}${g.photo.change}
              </button>`:e}
      </div>
      <div class="drop ${this.dragging?`target`:``}">
        ${t?a`<img
                  src=${_.file(t.sha256,512)}
                  width=${t.width}
                  height=${t.height}
                  alt=${g.photo.alt(t.name)}
                />
                ${this.dragging?a`<p class="over">${g.intake.dropPhoto}</p>`:e}`:a`<button class="button plain empty" @click=${()=>an(`photo`,!1)}>
                ${h.upload}${g.photo.empty}
              </button>`}
      </div>
      ${t?a`<p class="row between small muted">
              <span class="name" title=${t.name}>${t.name}</span>
              <span class="number">
                ${gt()?`${g.photo.example}, `:``}${t.width}×${t.height}
              </span>
            </p>`:e}
      ${this.#e()}
    </section>`}#e(){let{busy:t,error:n}=G.value,{field:r,error:i}=Y.value,o=n&&n.role!==`style`&&n.role!==`mask`?n.words:r?.startsWith(`inputs.content`)?i:null;return o?a`<p class="error" role="alert">${h.warning}<span>${o}</span></p>`:t.length>0?a`<p class="small muted">${g.intake.uploading(t)}</p>`:e}static styles=[l,c`
      section {
        padding: 8px 16px 16px;
      }

      .head {
        min-height: 44px;
      }

      .head .button {
        margin-right: -12px;
      }

      .drop {
        position: relative;
        display: grid;
        place-items: center;
        min-height: 96px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: 2px;
      }

      .over {
        position: absolute;
        inset: auto 0 0;
        padding: 8px;
        background: var(--panel);
        color: var(--accent);
        text-align: center;
      }

      img {
        width: auto;
        height: auto;
        max-width: 100%;
        max-height: 176px;
      }

      .empty {
        width: 100%;
        min-height: 96px;
        color: var(--muted);
      }

      .small {
        margin-top: 8px;
      }

      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .number {
        flex: none;
      }

      .error {
        margin-top: 8px;
      }
    `]};customElements.define(`studio-photo`,Wi);var Gi=class extends n{stores(){return[S,B]}render(){let e=O();return e.length===0?a`<p class="none muted small">${g.strip.none}</p>`:a`<ul>
      ${_i(e,({id:e})=>e,e=>a`<li>${this.#e(e)}</li>`)}
      <li>
        <button class="all" @click=${()=>U({kind:`history`})}>
          ${h.dots}<span class="small">${g.strip.all}</span>
        </button>
      </li>
    </ul>`}#e(t){let{subject:n}=B.value,r=n.kind===`job`&&n.id===t.id,i=g.strip.open(t.title,g.state[t.state]),o=v(t.state),{progress:s}=t,c=s?Math.floor(20*s.step/s.steps):0,l=o?`${t.state}-${c}`:t.state;return a`<button
      aria-label=${i}
      title=${i}
      aria-pressed=${r}
      @click=${()=>kn(t.id)}
    >
      <img src=${_.job(t.id,192,l)} alt="" loading="lazy" />
      ${t.favourite?a`<span class="mark">${h.starred}</span>`:e}
      ${t.state===`failed`||t.state===`set-aside`?a`<span class="mark bad">${h.warning}</span>`:e}
      ${o?a`<span class="state small">
                ${t.state===`queued`?g.state.queued:e}
                ${t.state===`paused`?g.state.paused:e}
              </span>
              <span class="bar"
                ><span data-part=${s?s.step/s.steps:0}></span
              ></span>`:e}
    </button>`}updated(e){for(let e of this.renderRoot.querySelectorAll(`[data-part]`))e.style.setProperty(`width`,`${100*Number(e.dataset.part)}%`)}static styles=[l,c`
      .none {
        padding: 16px;
      }

      ul {
        display: flex;
        gap: 8px;
        padding: 8px 16px;
        overflow-x: auto;
        scrollbar-width: thin;
        scrollbar-color: var(--edge) transparent;
      }

      li {
        flex: none;
      }

      button {
        position: relative;
        display: block;
        height: 72px;
        min-width: 48px;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      button[aria-pressed="true"] {
        border-color: var(--accent);
        outline: 1px solid var(--accent);
      }

      button:focus-visible {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
      }

      img {
        height: 100%;
        width: auto;
        min-width: 48px;
        max-width: 128px;
        object-fit: cover;
      }

      .mark {
        position: absolute;
        right: 2px;
        top: 2px;
        padding: 2px;
        border-radius: var(--radius);
        background: var(--panel);
        color: var(--text);
      }

      .mark svg {
        width: 12px;
        height: 12px;
      }

      .bad {
        color: var(--error);
      }

      .state {
        position: absolute;
        left: 2px;
        bottom: 6px;
        padding: 0 4px;
        border-radius: var(--radius);
        background: var(--panel);
      }

      .state:empty {
        display: none;
      }

      .bar {
        position: absolute;
        inset: auto 0 0;
        height: 4px;
        background: var(--panel);
      }

      .bar span {
        display: block;
        width: 0;
        height: 100%;
        background: var(--accent);
      }

      .all {
        display: grid;
        place-content: center;
        justify-items: center;
        width: 72px;
        background: transparent;
      }
    `]};customElements.define(`studio-strip`,Gi);var Ki=class extends n{static properties={dragging:{type:Boolean}};stores(){return[N,G,Y,M]}render(){let{styles:t}=N.value,n=M.value.info?.gallery??[];return a`<section @drop=${e=>on(e,`style`)}>
      <div class="row between head">
        <h2>${g.styles.heading}</h2>
        <button class="button plain" @click=${()=>an(`style`,!0)}>
          ${h.add}${g.styles.pick}
        </button>
      </div>
      <div class="drop ${this.dragging?`target`:``}">
        ${t.length===0?a`<p class="muted empty">${g.styles.empty}</p>`:e}
        <ul>
          ${_i(t,e=>e.file.sha256,(e,t)=>this.#e(e,t))}
        </ul>
        ${this.dragging?a`<p class="over">${g.intake.dropStyle}</p>`:e}
      </div>
      ${this.#n()}
      ${n.length>0?a`<h3 class="small muted">${g.styles.gallery}</h3>
              <ul class="gallery">
                ${n.map(e=>this.#t(e))}
              </ul>`:e}
    </section>`}#e(t,n){let{styles:r}=N.value,{file:i,weight:o,crop:s}=t,c=r.reduce((e,t)=>e+t.weight,0),l=c>0?Math.round(100*o/c):0;return a`<li class="style">
      <button
        class="thumb"
        title=${g.styles.part(i.name)}
        @click=${()=>U({kind:`crop`,index:n})}
      >
        <crop-view .file=${i} .crop=${s} alt=${g.styles.part(i.name)}></crop-view>
      </button>
      <div class="grow">
        <div class="name" title=${i.name}>${i.name}</div>
        <div class="small muted">${s?g.styles.cropped:g.styles.whole}</div>
      </div>
      <button
        class="button plain icon"
        aria-label=${g.styles.part(i.name)}
        title=${g.styles.part(i.name)}
        @click=${()=>U({kind:`crop`,index:n})}
      >
        ${h.crop}
      </button>
      <button
        class="button plain icon"
        aria-label=${g.styles.remove(i.name)}
        title=${g.styles.remove(i.name)}
        @click=${()=>Ct(n)}
      >
        ${h.close}
      </button>
      ${r.length>1?a`<label class="weight">
              <span class="small muted">${g.styles.weightLabel}</span>
              <input
                type="range"
                min="0"
                max="4"
                step="0.1"
                .value=${String(o)}
                aria-label=${g.styles.weight(i.name)}
                aria-valuetext="${o}, ${g.styles.share(l)}"
                @input=${e=>{St(n,{weight:Number(e.target.value)})}}
              />
              <span class="small number share">${g.styles.share(l)}</span>
            </label>`:e}
    </li>`}#t({title:t,by:n,file:r}){let i=N.value.styles.some(e=>e.file.sha256===r.sha256);return a`<li>
      <button
        class="pick"
        aria-pressed=${i}
        aria-label=${g.styles.use(t,n)}
        title=${g.styles.use(t,n)}
        @click=${()=>xt({...r,name:r.name||t})}
      >
        <img src=${_.file(r.sha256,128)} alt="" loading="lazy" />
      </button>
      ${i?e:a`<button
              class="add"
              aria-label=${g.styles.add(t)}
              title=${g.styles.add(t)}
              @click=${()=>yt(r)}
            >
              ${h.add}
            </button>`}
    </li>`}#n(){let{error:t}=G.value,{field:n,error:r}=Y.value,i=n?.startsWith(`inputs.styles`)||n?.startsWith(`inputs.mask`),o=t?.role===`style`?t.words:i?r:null;return o?a`<p class="error" role="alert">${h.warning}<span>${o}</span></p>`:e}static styles=[l,c`
      section {
        padding: 8px 16px 16px;
      }

      .head {
        min-height: 44px;
      }

      .head .button {
        margin-right: -12px;
      }

      .drop {
        position: relative;
        border-radius: var(--radius);
      }

      .target {
        outline: 2px dashed var(--accent);
        outline-offset: 2px;
      }

      .over {
        padding: 8px;
        color: var(--accent);
        text-align: center;
      }

      .empty {
        padding: 24px 16px;
        border: 1px dashed var(--edge);
        border-radius: var(--radius);
        text-align: center;
      }

      .style {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        column-gap: 4px;
        padding: 8px 0;
        border-top: 1px solid var(--line);
      }

      .style:first-child {
        border-top: 0;
        padding-top: 0;
      }

      .thumb {
        width: 64px;
        height: 64px;
        margin-right: 8px;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      /* Two lines hold most names. */
      .name {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
        overflow-wrap: anywhere;
        line-height: 18px;
      }

      .weight {
        flex-basis: 100%;
        display: flex;
        align-items: center;
        gap: 8px;
      }

      .share {
        min-width: 36px;
        text-align: right;
      }

      .gallery {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(72px, 1fr));
        gap: 8px;
      }

      h3 {
        margin: 16px 0 8px;
        font-weight: 400;
      }

      .gallery li {
        position: relative;
      }

      .pick {
        display: block;
        width: 100%;
        aspect-ratio: 1;
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--stage);
        overflow: hidden;
        cursor: pointer;
      }

      .pick img {
        width: 100%;
        height: 100%;
        object-fit: cover;
      }

      .pick[aria-pressed="true"] {
        border-color: var(--accent);
        box-shadow: inset 0 0 0 1px var(--accent);
        padding: 2px;
      }

      .add {
        position: absolute;
        right: 4px;
        bottom: 4px;
        display: grid;
        place-items: center;
        width: 24px;
        height: 24px;
        padding: 0;
        border: 1px solid var(--edge);
        border-radius: var(--radius);
        background: var(--panel);
        cursor: pointer;
      }

      /* The target is larger than what is drawn. */
      .add::after {
        content: "";
        position: absolute;
        inset: -10px -4px -4px -10px;
      }

      .error {
        margin-top: 8px;
      }
    `]};customElements.define(`studio-styles`,Ki);var qi=new r({state:`well`}),Ji=2e3,Yi=0,Xi=new Set;function Zi(e){Xi.add(e)}de.report=e=>{let t=qi.value.state,n=e===`answered`?`well`:e;if(n!==t&&qi.set({state:n}),n===`lost`&&Yi===0&&(Yi=window.setInterval(()=>void ee().catch(()=>{}),Ji)),n!==`lost`&&Yi!==0&&(clearInterval(Yi),Yi=0,n===`well`))for(let e of Xi)e()};var Qi=window.matchMedia(`(max-width: 959px)`),$i=class extends n{static properties={dragging:{state:!0}};constructor(){super(),this.dragging=!1}stores(){return[qi,H,Se,S]}connectedCallback(){super.connectedCallback(),Qi.addEventListener(`change`,this.#e),window.addEventListener(`dragover`,this.#t),window.addEventListener(`dragleave`,this.#n),window.addEventListener(`drop`,this.#r),window.addEventListener(`paste`,this.#i),window.addEventListener(`keydown`,this.#a)}disconnectedCallback(){super.disconnectedCallback(),Qi.removeEventListener(`change`,this.#e),window.removeEventListener(`dragover`,this.#t),window.removeEventListener(`dragleave`,this.#n),window.removeEventListener(`drop`,this.#r),window.removeEventListener(`paste`,this.#i),window.removeEventListener(`keydown`,this.#a)}#e=()=>this.requestUpdate();#t=e=>{e.dataTransfer?.types.includes(`Files`)&&(e.preventDefault(),this.dragging=!0)};#n=e=>{e.relatedTarget===null&&(this.dragging=!1)};#r=e=>{let t=e.dataTransfer?.files;this.dragging=!1,t?.length&&!e.defaultPrevented&&(e.preventDefault(),tn(t,B.value.tool?`mask`:`ask`))};#i=e=>{let t=[...e.clipboardData?.files??[]];t.length!==0&&(e.preventDefault(),tn(t,`ask`))};#a=e=>{H.value.open||(e.key===`Enter`&&(e.ctrlKey||e.metaKey)?(e.preventDefault(),An()):e.ctrlKey||e.metaKey||e.altKey||!Jn(e)||(e.key===`?`&&U({kind:`help`}),e.key===`h`&&U({kind:`history`})))};updated(e){let t=ke()?.progress,n=t?Math.floor(100*t.step/t.steps):null;document.title=g.title(n)}render(){let t=Qi.matches;return a`
      <nav aria-label=${g.header.skip}>
        <button class="skip" @click=${this.#o}>${g.header.skip}</button>
      </nav>
      ${this.#s()}
      <studio-header .narrow=${t}></studio-header>
      ${t?this.#u():this.#l()}
      <studio-dialogs></studio-dialogs>
      ${H.value.open?e:a`<studio-toasts></studio-toasts>`}
      <p class="hidden" role="status" aria-live="polite">${Se.value.words}</p>
    `}#o=()=>{this.renderRoot.querySelector(`studio-canvas`)?.focusStage()};#s(){let{state:t}=qi.value;return t===`well`?e:a`<p class="banner" role="alert">
      ${h.warning}<span>${g.connection[t]}</span>
    </p>`}#c(){return a`
      <studio-photo .dragging=${this.dragging}></studio-photo>
      <studio-styles .dragging=${this.dragging}></studio-styles>
    `}#l(){return a`<div class="wide">
      <aside class="panel left" aria-label=${g.regions.inputs}>${this.#c()}</aside>
      <main aria-label=${g.regions.canvas}>
        <studio-canvas .dragging=${this.dragging}></studio-canvas>
      </main>
      <aside class="panel right" aria-label=${g.regions.settings}>
        <div class="scroll">
          <studio-dial></studio-dial>
          <studio-options></studio-options>
        </div>
        <studio-make></studio-make>
      </aside>
      <section class="strip" aria-label=${g.regions.strip}>
        <studio-strip></studio-strip>
      </section>
    </div>`}#u(){return a`<div class="narrow">
      <main aria-label=${g.regions.canvas}>
        <studio-canvas narrow .dragging=${this.dragging}></studio-canvas>
      </main>
      <section aria-label=${g.dial.heading}><studio-dial></studio-dial></section>
      <section class="inputs" aria-label=${g.regions.inputs}>${this.#c()}</section>
      <section aria-label=${g.regions.settings}><studio-options></studio-options></section>
      <section class="strip" aria-label=${g.regions.strip}>
        <studio-strip></studio-strip>
      </section>
      <section class="sticky" aria-label=${g.make.make}>
        <studio-make narrow></studio-make>
      </section>
    </div>`}static styles=[l,c`
      :host {
        min-height: 100dvh;
        display: flex;
        flex-direction: column;
      }

      /* A wide page scrolls in its panels, not as a whole. */
      @media (min-width: 960px) {
        :host {
          height: max(100dvh, 520px);
        }
      }

      .skip {
        position: absolute;
        left: 8px;
        top: -80px;
        z-index: 3;
        padding: 8px 12px;
        background: var(--raised);
        border: 1px solid var(--edge);
        border-radius: var(--radius);
      }

      .skip:focus {
        top: 8px;
      }

      .banner {
        display: flex;
        align-items: center;
        gap: 8px;
        padding: 8px 16px;
        border-bottom: 1px solid var(--line);
        background: var(--field);
        color: var(--error);
      }

      .wide {
        flex: 1;
        display: grid;
        grid-template: minmax(0, 1fr) auto / 272px minmax(0, 1fr) 312px;
        min-height: 0;
      }

      .panel {
        background: var(--panel);
        min-height: 0;
      }

      .left {
        overflow-y: auto;
        border-right: 1px solid var(--line);
      }

      .right {
        display: flex;
        flex-direction: column;
        border-left: 1px solid var(--line);
      }

      .scroll {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
      }

      .wide main {
        min-width: 0;
        min-height: 0;
        display: grid;
      }

      .wide .strip {
        grid-column: 1 / -1;
        border-top: 1px solid var(--line);
        background: var(--panel);
        min-width: 0;
      }

      .narrow {
        flex: 1;
        min-width: 0;
      }

      .narrow main {
        border-bottom: 1px solid var(--line);
      }

      .inputs {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr));
        border-top: 1px solid var(--line);
        border-bottom: 1px solid var(--line);
      }

      .narrow .strip {
        border-top: 1px solid var(--line);
      }

      .sticky {
        position: sticky;
        bottom: 0;
        z-index: 2;
        background: var(--panel);
        padding-bottom: env(safe-area-inset-bottom);
      }
    `]};customElements.define(`studio-app`,$i);var ea=1e4,ta=!1;async function na(){try{let e=await lt();await oa(),!N.value.photo&&N.value.styles.length===0&&aa(e),await Promise.all([ut(),k()])}catch(e){e instanceof le&&e.status!==401&&x(e.message,{isError:!0});return}ta=!0,Sn(),Tr();let e=ke();e&&kn(e.id),window.addEventListener(`focus`,ra),window.setInterval(()=>{O().some(e=>v(e.state))&&ra()},ea)}function ra(){k().catch(()=>{})}async function ia(){if(!ta)return na();S.set({refusals:{}}),ra(),Dr(),Tn()}function aa({example:e}){N.set({photo:P(e.content),styles:[ht(P(e.style))]})}async function oa(){let{photo:e,styles:t,region:n,keep:r}=N.value,i=async e=>{if(!e)return!1;try{return await pe(e.sha256),!0}catch(e){if(e instanceof le&&e.status===404)return!1;throw e}},a=await Promise.all(t.map(e=>i(e.file))),o={styles:t.filter((e,t)=>a[t])};await i(e)||Object.assign(o,{photo:null,region:null,keep:null}),n&&!await i(n)&&(o.region=null),r&&!await i(r)&&(o.keep=null),N.set(o)}Zi(()=>void ia()),na();