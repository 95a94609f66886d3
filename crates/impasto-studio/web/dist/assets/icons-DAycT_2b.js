var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:ee,getOwnPropertySymbols:te,getPrototypeOf:ne}=Object,f=globalThis,re=f.trustedTypes,ie=re?re.emptyScript:``,ae=f.reactiveElementPolyfillSupport,p=(e,t)=>e,m={toAttribute(e,t){switch(t){case Boolean:e=e?ie:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},h=(e,t)=>!l(e,t),oe={attribute:!0,type:String,converter:m,reflect:!1,useDefault:!1,hasChanged:h};Symbol.metadata??=Symbol(`metadata`),f.litPropertyMetadata??=new WeakMap;var g=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=oe){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??oe}static _$Ei(){if(this.hasOwnProperty(p(`elementProperties`)))return;let e=ne(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(p(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(p(`properties`))){let e=this.properties,t=[...ee(e),...te(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?m:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?m:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??h)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};g.elementStyles=[],g.shadowRootOptions={mode:`open`},g[p(`elementProperties`)]=new Map,g[p(`finalized`)]=new Map,ae?.({ReactiveElement:g}),(f.reactiveElementVersions??=[]).push(`2.1.2`);var _=globalThis,se=e=>e,v=_.trustedTypes,ce=v?v.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,y=`$lit$`,b=`lit$${Math.random().toFixed(9).slice(2)}$`,x=`?`+b,le=`<${x}>`,S=document,C=()=>S.createComment(``),w=e=>e===null||typeof e!=`object`&&typeof e!=`function`,T=Array.isArray,ue=e=>T(e)||typeof e?.[Symbol.iterator]==`function`,E=`[ 	
\f\r]`,D=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,de=/-->/g,fe=/>/g,O=RegExp(`>|${E}(?:([^\\s"'>=/]+)(${E}*=${E}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),pe=/'/g,me=/"/g,he=/^(?:script|style|textarea|title)$/i,ge=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),_e=ge(1),k=ge(2),A=Symbol.for(`lit-noChange`),j=Symbol.for(`lit-nothing`),ve=new WeakMap,M=S.createTreeWalker(S,129);function N(e,t){if(!T(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ce===void 0?t:ce.createHTML(t)}var P=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=D;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===D?c[1]===`!--`?o=de:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=O):(he.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=O):o=fe:o===O?c[0]===`>`?(o=i??D,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?O:c[3]===`"`?me:pe):o===me||o===pe?o=O:o===de||o===fe?o=D:(o=O,i=void 0);let d=o===O&&e[t+1].startsWith(`/>`)?` `:``;a+=o===D?n+le:l>=0?(r.push(s),n.slice(0,l)+y+n.slice(l)+b+d):n+b+(l===-2?t:d)}return[N(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},F=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=P(t,n);if(this.el=e.createElement(l,r),M.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=M.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(y)){let t=u[o++],n=i.getAttribute(e).split(b),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?ye:r[1]===`?`?be:r[1]===`@`?xe:z}),i.removeAttribute(e)}else e.startsWith(b)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(he.test(i.tagName)){let e=i.textContent.split(b),t=e.length-1;if(t>0){i.textContent=v?v.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],C()),M.nextNode(),c.push({type:2,index:++a});i.append(e[t],C())}}}else if(i.nodeType===8){if(i.data===x)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(b,e+1))!==-1;)c.push({type:7,index:a}),e+=b.length-1}}a++}}static createElement(e,t){let n=S.createElement(`template`);return n.innerHTML=e,n}};function I(e,t,n=e,r){if(t===A)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=w(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=I(e,i._$AS(e,t.values),i,r)),t}var L=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??S).importNode(t,!0);M.currentNode=r;let i=M.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new R(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Se(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=M.nextNode(),a++)}return M.currentNode=S,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},R=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=j,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=I(this,e,t),w(e)?e===j||e==null||e===``?(this._$AH!==j&&this._$AR(),this._$AH=j):e!==this._$AH&&e!==A&&this._(e):e._$litType$===void 0?e.nodeType===void 0?ue(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==j&&w(this._$AH)?this._$AA.nextSibling.data=e:this.T(S.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=F.createElement(N(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new L(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=ve.get(e.strings);return t===void 0&&ve.set(e.strings,t=new F(e)),t}k(t){T(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(C()),this.O(C()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=se(e).nextSibling;se(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},z=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=j,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=j}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=I(this,e,t,0),a=!w(e)||e!==this._$AH&&e!==A,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=I(this,r[n+o],t,o),s===A&&(s=this._$AH[o]),a||=!w(s)||s!==this._$AH[o],s===j?e=j:e!==j&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===j?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},ye=class extends z{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===j?void 0:e}},be=class extends z{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==j)}},xe=class extends z{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=I(this,e,t,0)??j)===A)return;let n=this._$AH,r=e===j&&n!==j||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==j&&(n===j||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Se=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){I(this,e)}},Ce={M:y,P:b,A:x,C:1,L:P,R:L,D:ue,V:I,I:R,H:z,N:be,U:xe,B:ye,F:Se},we=_.litHtmlPolyfillSupport;we?.(F,R),(_.litHtmlVersions??=[]).push(`3.3.3`);var Te=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new R(t.insertBefore(C(),e),e,void 0,n??{})}return i._$AI(e),i},B=globalThis,V=class extends g{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Te(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return A}};V._$litElement$=!0,V.finalized=!0,B.litElementHydrateSupport?.({LitElement:V});var Ee=B.litElementPolyfillSupport;Ee?.({LitElement:V}),(B.litElementVersions??=[]).push(`4.2.2`);var De=class{#e;#t=new Set;constructor(e){this.#e=e}get value(){return this.#e}set(e){this.#e={...this.#e,...e};for(let e of[...this.#t])e()}subscribe(e){return this.#t.add(e),()=>this.#t.delete(e)}},Oe=class extends V{#e=[];stores(){return[]}connectedCallback(){super.connectedCallback(),this.#e=this.stores().map(e=>e.subscribe(()=>this.requestUpdate()))}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#e)e();this.#e=[]}};function ke(e,t){let n=0;return()=>{clearTimeout(n),n=window.setTimeout(t,e)}}var Ae=`impasto-theme`,H=[`system`,`light`,`dark`];function je(){let e=localStorage.getItem(Ae);return H.find(t=>t===e)??`system`}var U=new De({choice:je()});function Me(){let{choice:e}=U.value;e===`system`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e}function Ne(){let e=H[(H.indexOf(U.value.choice)+1)%H.length]??`system`;localStorage.setItem(Ae,e),U.set({choice:e}),Me()}Me();var Pe=o`
  :host {
    display: block;
    color: var(--text);
    font: var(--body) / 20px var(--font);
  }

  :host([hidden]) {
    display: none;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }

  h2,
  h3,
  legend {
    font-size: var(--body);
    line-height: 20px;
    font-weight: 600;
    padding: 0;
  }

  ul {
    list-style: none;
  }

  img {
    display: block;
  }

  svg {
    display: block;
    flex: none;
  }

  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
    margin: 0;
  }

  a {
    color: var(--accent);
    text-underline-offset: 2px;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: var(--target);
    min-width: var(--target);
    padding: 4px 12px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--raised);
    color: var(--text);
    text-decoration: none;
    text-align: center;
    cursor: pointer;
    touch-action: manipulation;
  }

  .button:hover:not(:disabled) {
    background: var(--hover);
  }

  .button.plain {
    border-color: transparent;
    background: transparent;
  }

  .button.plain:hover:not(:disabled) {
    background: var(--hover);
  }

  .button.icon {
    padding: 0;
  }

  .button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }

  .button.primary:hover:not(:disabled) {
    background: var(--accent);
    text-decoration: underline;
    text-underline-offset: 4px;
  }

  .button[aria-pressed="true"],
  .button[aria-expanded="true"] {
    border-color: var(--accent);
    color: var(--accent);
  }

  .button:disabled {
    border: 1px dashed var(--edge);
    background: transparent;
    color: var(--muted);
    cursor: not-allowed;
  }

  .button.plain:disabled {
    border-color: transparent;
    opacity: 0.6;
  }

  .field {
    width: 100%;
    min-height: var(--target);
    padding: 4px 8px;
    border: 1px solid var(--edge);
    border-radius: var(--radius);
    background: var(--field);
    color: var(--text);
  }

  select.field {
    appearance: none;
    padding-right: 28px;
    /* Two triangles in the colour of the text make the arrow. */
    background-image:
      linear-gradient(45deg, transparent 50%, currentColor 50%),
      linear-gradient(135deg, currentColor 50%, transparent 50%);
    background-position:
      right 14px center,
      right 9px center;
    background-repeat: no-repeat;
    background-size: 5px 5px;
    text-overflow: ellipsis;
    cursor: pointer;
  }

  select.field option {
    background: var(--field);
    color: var(--text);
  }

  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }

  .field[aria-invalid="true"] {
    border-color: var(--error);
  }

  input[type="number"] {
    appearance: textfield;
  }

  input[type="number"]::-webkit-inner-spin-button,
  input[type="number"]::-webkit-outer-spin-button {
    appearance: none;
    margin: 0;
  }

  input[type="checkbox"] {
    width: 18px;
    height: 18px;
    flex: none;
    accent-color: var(--accent);
  }

  label.check {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: var(--target);
    cursor: pointer;
  }

  input[type="range"] {
    appearance: none;
    width: 100%;
    height: var(--target);
    background: transparent;
    cursor: pointer;
  }

  input[type="range"]::-webkit-slider-runnable-track {
    height: 4px;
    border-radius: 2px;
    background: var(--edge);
  }

  input[type="range"]::-moz-range-track {
    height: 4px;
    border-radius: 2px;
    background: var(--edge);
  }

  input[type="range"]::-webkit-slider-thumb {
    appearance: none;
    width: 16px;
    height: 16px;
    margin-top: -6px;
    border: 2px solid var(--panel);
    border-radius: 50%;
    background: var(--accent);
  }

  input[type="range"]::-moz-range-thumb {
    width: 12px;
    height: 12px;
    border: 2px solid var(--panel);
    border-radius: 50%;
    background: var(--accent);
  }

  .muted {
    color: var(--muted);
  }

  .small {
    font-size: var(--small);
    line-height: 16px;
  }

  .error {
    display: flex;
    gap: 8px;
    color: var(--error);
    overflow-wrap: anywhere;
  }

  .row {
    display: flex;
    align-items: center;
    gap: 8px;
  }

  .between {
    justify-content: space-between;
  }

  .grow {
    flex: 1;
    min-width: 0;
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: no-preference) {
    .button,
    .field {
      transition: background-color 80ms linear;
    }
  }
`,Fe=o`
  dialog {
    width: min(560px, calc(100vw - 32px));
    max-height: calc(100dvh - 32px);
    padding: 0;
    border: 1px solid var(--edge);
    border-radius: 8px;
    background: var(--panel);
    color: var(--text);
    overflow: hidden;
  }

  dialog[open] {
    display: flex;
    flex-direction: column;
  }

  dialog.wide {
    width: min(1120px, calc(100vw - 32px));
  }

  dialog::backdrop {
    background: rgb(0 0 0 / 55%);
  }

  .dialog-head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 16px;
    padding: 8px 8px 8px 20px;
    border-bottom: 1px solid var(--line);
  }

  .dialog-head h2 {
    font-size: 1rem;
    overflow-wrap: anywhere;
  }

  .dialog-body {
    padding: 20px;
    overflow: auto;
    overscroll-behavior: contain;
  }

  .dialog-foot {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 8px;
    padding: 12px 20px;
    border-top: 1px solid var(--line);
  }

  @media (max-width: 959px) {
    dialog,
    dialog.wide {
      width: calc(100vw - 16px);
      max-width: none;
      max-height: calc(100dvh - 16px);
    }

    .dialog-body {
      padding: 16px;
    }
  }
`,W=(e,t,n)=>`${e} ${e===1?t:n}`,G={locale:`en-GB`,program:`impasto`,title:e=>e===null?`impasto studio`:`${e} % · impasto studio`,units:{underSecond:`under 1\xA0s`,seconds:e=>`${e}\u00a0s`,minutes:e=>`${e}\u00a0min`,hours:(e,t)=>`${e}\u00a0h ${t}\u00a0min`,gigabytes:e=>`${e}\u00a0GB`,megabytes:e=>`${e}\u00a0MB`,kilobytes:e=>`${e}\u00a0kB`,px:`px`},connection:{noAnswer:`The program does not answer. Is impasto studio still running?`,lost:`No answer from impasto studio. The page asks again every two seconds.`,denied:"This page has no access. Open the address that `impasto studio` printed when it started.",status:e=>`The server answered with status ${e}.`},header:{history:`History`,devices:`Devices`,help:`Help`,theme:{system:`Light or dark: as the system`,light:`Light`,dark:`Dark`},skip:`Skip to the picture`},regions:{inputs:`Photo and styles`,canvas:`Picture`,settings:`Settings`,strip:`Last pictures`},close:`Close`,cancel:`Cancel`,undo:`Undo`,dismiss:`Dismiss`,intake:{pasted:`pasted.png`,drop:`Drop a picture to use it as the photo or as a style`,dropPhoto:`Drop here for the photo`,dropStyle:`Drop here for a style`,uploading:e=>`Reading ${e.join(`, `)}…`,ask:`What is this picture?`,askHint:e=>`${e} can be the photo that is painted, or a painting whose style is taken.`,asPhoto:`Use as photo`,asOnlyStyle:`Use as the style`,asStyle:`Add as a style`,recipe:`Made by impasto`,recipeHint:e=>`${e} carries the settings that it was made with.`,useRecipe:`Use its settings`,missing:e=>`The settings are filled in. ${e.join(` and `)} ${e.length===1?`is`:`are`} not here. Drop ${e.length===1?`it`:`them`} on the page to use ${e.length===1?`it`:`them`}.`,filled:`The settings are filled in.`},photo:{heading:`Photo`,change:`Change`,empty:`Drop, paste or choose a photo`,alt:e=>`The photo ${e}`,example:`example`},styles:{heading:`Styles`,pick:`Add a style`,empty:`Drop a painting here, or choose one below`,gallery:`Gallery`,use:(e,t)=>`Use ${e}, ${t}`,add:e=>`Add ${e} as another style`,alt:e=>`The style ${e}`,remove:e=>`Remove ${e}`,part:e=>`Use a part of ${e}`,whole:`whole picture`,cropped:`a part of it`,weight:e=>`Weight of ${e}`,weightLabel:`Weight`,share:e=>`${e} %`},crop:{heading:e=>`Part of ${e}`,hint:`Drag a rectangle on the picture, or type its place in percent.`,sides:[`Left`,`Top`,`Width`,`Height`],all:`Use all of it`,done:`Use this part`,rotations:`Rotations`,rotationsHint:`Copies of the picture, turned by equal angles. Strokes then run in more directions.`,trim:`Frame`,trimWords:{auto:`leave out a uniform frame`,none:`keep it`}},dial:{heading:`Strength`,photo:`photo`,painting:`painting`,number:`Strength, 0 to 100`,value:e=>e===0?`0, photo`:e===100?`100, painting`:`${e} of 100`,adjusts:`Also move the running picture`,adjusting:`Adjusting…`,byWeight:e=>`The content weight ${e}, under More, takes the place of the strength.`,clearWeight:`Use the strength again`},options:{preset:`Preset`,presets:{draft:`Draft`,standard:`Standard`,fine:`Fine`},presetHelp:{draft:`Shows the composition, in a third of the time.`,standard:`For the screen.`,fine:`For prints. Goes on until steps change little.`},size:`Size`,sizeHint:`longest side`,original:`Own size`,upscale:e=>`The photo has ${e} px. Enlarge it`,colors:`Colours`,colorWords:{style:`Painting's colours`,content:`Photo's colours, on top`,luminance:`Photo's colours, light and dark only`,matched:`Painting in the photo's palette`},styleScale:`Style scale`,brush:`Brush`,fine:`fine`,broad:`broad`},more:{heading:`More`,changed:e=>`${W(e,`change`,`changes`)}`,reset:`Reset all of these`,standard:e=>`default: ${e}`,standardHelp:e=>`Default: ${e}.`,isStandard:`default`,badNumber:`This is not a number.`,groups:[{title:`Run`,names:[`steps`,`scales`,`tolerance`,`seed`,`optimizer`,`adjust`,`upscale`]},{title:`Losses`,names:[`objective`,`style-loss`,`content-weight`,`style-weight`,`tv-weight`]},{title:`Network`,names:[`content-layers`,`style-layers`,`pooling`,`padding`]}],others:`Others`,names:{steps:`Steps`,scales:`Scales`,tolerance:`Tolerance`,seed:`Seed`,optimizer:`Optimiser`,adjust:`Adjustments`,upscale:`Enlarge small photos`,objective:`Objective`,"style-loss":`Style comparison`,"content-weight":`Content weight`,"style-weight":`Style weight`,"tv-weight":`Smoothing`,"content-layers":`Content layers`,"style-layers":`Style layers`,pooling:`Pooling`,padding:`Padding`},init:`Start from`,initWords:{content:`the photo`,noise:`white noise`,grey:`mid-grey`},loading:`Loading the options…`},make:{make:`Make`,queue:`Add to the queue`,planning:`Estimating…`,cost:(e,t,n,r)=>`${e}\u00a0px, about ${t}, ${n}, ${r}`,needsPhoto:`Add a photo first.`,needsStyle:`Add a style first.`,pause:`Pause`,resume:`Resume`,cancel:`Cancel`,pausing:`Pausing…`,cancelling:`Cancelling…`,smoothing:`Smoothing`,waiting:e=>e===0?`Starts next`:`${W(e,`picture`,`pictures`)} before it`,more:e=>`${W(e,`more picture waits`,`more pictures wait`)} in the queue`,show:`Show`},progress:{step:({step:e,steps:t})=>`Step ${e} of ${t}`,scale:({scale:e,scales:t},n)=>`scale ${e+1} of ${t}, ${n} px`,left:e=>`${e} left`,preparing:`Preparing…`,bar:`Progress`,spoken:e=>`Step ${e.step} of ${e.steps}, about ${Math.ceil(e[`seconds-left`])} seconds left.`},state:{queued:`Waiting`,running:`Running`,paused:`Paused`,done:`Done`,failed:`Failed`,cancelled:`Cancelled`,"set-aside":`Set aside`,spokenEnd:e=>e.state===`done`?`${e.title} is done.`:`${e.title}: ${G.state[e.state]}. ${e.error??``}`,setAside:`The program stopped several times in this picture, so it does not try again by itself.`},canvas:{stage:`Picture. Plus and minus zoom, arrows move, 0 fits, space shows the photo.`,fit:`Fit`,full:`100 %`,zoomIn:`Zoom in`,zoomOut:`Zoom out`,zoom:`Zoom`,holdPhoto:`Photo`,holdPhotoHint:`Hold to see the photo (space)`,divider:`Before and after`,dividerShort:`Before/after`,dividerValue:e=>`Photo up to ${e} % from the left`,region:`Region`,regionHint:`Region mask: where the first style goes`,regionNeeds:`Region mask: needs two styles`,keep:`Keep`,keepHint:`Keep mask: what stays photo`,losses:`Losses`,preview:`preview`,previewBusy:`preview…`,photo:`photo`,live:`live picture`,result:`result`,before:`photo`,after:`painted`,empty:`Drop a photo here to begin.`,toPreview:`Show the preview`,toLive:`Show the live picture`,alt:{photo:`The photo`,picture:`The painted picture`},waiting:`The live picture comes after the first steps.`},losses:{step:`step`,total:`total`,content:`content`,style:`style`,none:`There are no steps yet.`,summary:(e,t,n)=>`Losses over ${e} steps, on a logarithmic scale. The total went from ${t} to ${n}.`},masks:{file:{region:`region`,keep:`keep`},heading:{region:`Region mask`,keep:`Keep mask`},hint:{region:`Paint where the first style goes. The second style gets the rest.`,keep:`Paint what stays as it is in the photo.`},cursor:`Arrows move the brush, Enter paints.`,size:`Size`,softness:`Softness`,paint:`Paint`,erase:`Erase`,invert:`Invert`,clear:`Clear`,undo:`Undo`,redo:`Redo`,pick:`From a picture`,done:`Done`},result:{download:`Download`,formats:[{label:`PNG`,format:`png`,bits:8},{label:`JPEG`,format:`jpg`,bits:8},{label:`TIFF, 16 bit`,format:`tif`,bits:16},{label:`PNG, 16 bit`,format:`png`,bits:16}],larger:e=>`Larger, ${e} px`,largerDone:e=>`The settings are filled in at ${e} px. Make starts it.`,largerHint:`Fills in the same settings at the next size. Make then says what it takes.`,variants:`Variants`,variantsHint:`Nine small pictures around these settings`,command:`Command`,commandHint:`Copy as command`,reuse:`Reuse`,reuseHint:`Use its settings`,star:`Favourite`,info:(e,t,n)=>`${e}\u00a0px, ${W(t,`step`,`steps`)}, ${n}`,adjusted:e=>`adjusted ${e===1?`once`:`${e} times`}`},command:{heading:`The same as a command`,copy:`Copy`,copied:`Copied`,byHand:`Select the text and copy it`,inexact:`The command does not make exactly this picture.`,label:`Command`},variants:{heading:`Nine variants`,hint:`Stronger to the right, coarser downwards. Choose one to take its settings.`,cell:(e,t)=>`Strength ${e}, scale\u00a0${t}`,back:`Back to the preview`},pair:{heading:`Side by side`,open:`Open`},history:{heading:`History`,search:`Search by name`,favourites:`Favourites only`,more:`Show more`,none:`There are no pictures yet. What you make appears here.`,noneFound:`No picture matches.`,open:e=>`Open ${e}`,star:e=>`Favourite: ${e}`,remove:e=>`Delete ${e}`,pick:e=>`Compare ${e}`,compare:`Compare two`,compareHint:e=>e===1?`Choose one more to compare`:`Choose two to compare`,deleted:e=>`${e} was deleted.`,strength:e=>`strength ${e}`},strip:{open:(e,t)=>`${e}, ${t}`,none:`Your pictures appear here.`,all:`All`},devices:{heading:`Devices`,program:`Program`,device:`Pictures are computed`,threads:`Threads`,memory:`Free memory`,workers:`Workers`,none:`No worker is connected.`,idle:`idle`,working:`working`,seen:e=>`seen ${e}`,limits:`Limits`,limit:(e,t)=>`files up to ${e}, pictures up to ${t} megapixels`},help:{heading:`Help`,dialHeading:`What the dial means`,dial:[`Strength moves the picture from the photo (0) to the painting (100).`,`At 50, the default, the photo is clear and the strokes are the painting's. At 100 the photo can barely be guessed.`,`The same number looks the same at every size, so choose it on the preview and then make the picture large.`],keysHeading:`Keys`,keys:[[`Space (hold)`,`show the photo`],[`B`,`before and after`],[`+  −`,`zoom`],[`0`,`fit`],[`1`,`100 %`],[`Arrows`,`move the picture, or the mask brush`],[`Enter`,`in a mask: paint at the brush`],[`[  ]`,`smaller or larger brush`],[`E  I`,`in a mask: erase, invert`],[`Ctrl+Z  Ctrl+Shift+Z`,`in a mask: undo, redo`],[`Ctrl+Enter`,`make the picture`],[`H  ?`,`history, help`],[`On the dial`,`arrows move it by 1, page keys by 10`]],apiHeading:`Programs`,api:`All that this page does, a program can do over HTTP.`,apiLink:`Read the API reference`},docs:{title:`API reference`,back:`Back to the studio`,spec:`OpenAPI document`,parameters:`Parameters`,body:`Request body`,responses:`Responses`,example:`Example`,schemas:`Schemas`,required:`required`,standard:e=>`default ${e}`,anything:`any JSON`,or:`or`,listOf:`list of`,limits:{between:(e,t)=>`${e} to ${t}`,least:e=>`at least ${e}`,most:e=>`at most ${e}`,above:e=>`above ${e}`,characters:e=>`at most ${e} characters`},failed:e=>`The API description cannot be read. ${e}`,loading:`Loading…`,places:{path:`in the path`,query:`in the query`,header:`header`,cookie:`cookie`},contents:`Contents`,other:`Others`}},K=`/api/v1`,q=class extends Error{status;code;field;constructor(e,t,n,r){super(n),this.status=e,this.code=t,this.field=r}},Ie=class extends Error{},J={report:e=>{}};function Le(e){return e instanceof Error?e.message:String(e)}async function Y(e,t={}){let n;try{n=await fetch(K+e,t)}catch(e){throw t.signal?.aborted?e:(J.report(`lost`),new Ie(G.connection.noAnswer))}if(J.report(n.status===401?`denied`:`answered`),n.ok)return n;throw await Re(n)}async function Re(e){try{let{error:t}=await e.json();return new q(e.status,t.code,t.message,t.field??null)}catch{let t=G.connection.status(e.status);return new q(e.status,`unknown`,t,null)}}async function X(e,t){return(await Y(e,t)).json()}function Z(e,t,n={}){let r={"Content-Type":`application/json`,...n.headers};return{...n,method:e,headers:r,body:JSON.stringify(t)}}function Q(e){let t=Object.entries(e).filter(([,e])=>e!=null&&e!==``);return t.length===0?``:`?${new URLSearchParams(t.map(([e,t])=>[e,String(t)]))}`}var ze=()=>X(`/system`),Be=()=>X(`/schema`),Ve=(e,t)=>X(`/files${Q({name:e})}`,{method:`POST`,body:t}),He=e=>X(`/files/${e}`),Ue=async e=>(await Y(`/files/${e}/bytes`)).blob(),We=(e,t)=>X(`/plan`,Z(`POST`,e,{signal:t}));async function Ge(e){let t=Z(`POST`,e,{headers:{"Idempotency-Key":et()}});try{return await X(`/jobs`,t)}catch(e){if(e instanceof Ie)return X(`/jobs`,t);throw e}}var Ke=e=>X(`/jobs${Q(e)}`),qe=e=>X(`/jobs/${e}`),Je=(e,t)=>X(`/jobs/${e}`,Z(`PATCH`,{favourite:t})),Ye=async e=>{await Y(`/jobs/${e}`,{method:`DELETE`})},Xe=e=>X(`/jobs/${e}/restore`,{method:`POST`}),Ze=(e,t)=>X(`/jobs/${e}/control`,Z(`POST`,t)),Qe=e=>X(`/jobs/${e}/command`),$e={file:(e,t)=>`${K}/files/${e}/thumbnail${Q({size:t})}`,job:(e,t,n)=>`${K}/jobs/${e}/thumbnail${Q({size:t,state:n})}`,live:(e,t,n)=>`${K}/jobs/${e}/preview${Q({v:t,region:n?.join(`,`)})}`,shown:e=>`${K}/jobs/${e}/result${Q({format:`png`,bits:8,inline:!0})}`,download:(e,t,n)=>`${K}/jobs/${e}/result${Q({format:t,bits:n})}`,events:e=>`${K}/jobs/${e}/events`,openapi:`${K}/openapi.json`};function et(){let e=crypto.getRandomValues(new Uint8Array(16));return Array.from(e,e=>e.toString(16).padStart(2,`0`)).join(``)}function $(e){return _e`<svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${e}
  </svg>`}var tt={add:$(k`<path d="M10 4v12M4 10h12" />`),auto:$(k`<circle cx="10" cy="10" r="6.5" /><path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" />`),brush:$(k`<path d="M16.5 3.5 9 11M6.5 11.2c1.7 0 3 1.3 3 2.8 0 2-1.7 3-4 3H3c1-1 1-2 1-3s1-2.8 2.5-2.8z" />`),chart:$(k`<path d="M3.5 3.5v13h13" /><path d="M6.5 6.5c1 5 3 6.5 9 7" />`),check:$(k`<path d="m4 10.5 4 4 8-9" />`),clock:$(k`<circle cx="10" cy="10" r="6.5" /><path d="M10 6v4l2.5 2" />`),close:$(k`<path d="m5 5 10 10M15 5 5 15" />`),compare:$(k`<rect x="3" y="4.5" width="6" height="11" /><rect x="11" y="4.5" width="6" height="11" />`),copy:$(k`<rect x="7" y="7" width="9.5" height="9.5" rx="1" /><path d="M13 7V4.5a1 1 0 0 0-1-1H4.5a1 1 0 0 0-1 1V12a1 1 0 0 0 1 1H7" />`),crop:$(k`<path d="M6 2.5V14h11.5M2.5 6H14v11.5" />`),device:$(k`<rect x="5.5" y="5.5" width="9" height="9" rx="1" /><path d="M8 5.5v-3M12 5.5v-3M8 17.5v-3M12 17.5v-3M5.5 8h-3M5.5 12h-3M17.5 8h-3M17.5 12h-3" />`),dots:$(k`<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.5" />`),down:$(k`<path d="M10 3.5v9.5M6 9.5l4 4 4-4M3.5 16.5h13" />`),eraser:$(k`<path d="m8 16-4.5-4.5a1 1 0 0 1 0-1.4L10.6 3a1 1 0 0 1 1.4 0l4.5 4.5a1 1 0 0 1 0 1.4L9.5 16H8zM7 6.5l6 6M8 16.5h8.5" />`),eye:$(k`<path d="M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5z" /><circle cx="10" cy="10" r="2.2" />`),fit:$(k`<path d="M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4" />`),grid:$(k`<path d="M3.5 3.5h3v3h-3zM8.5 3.5h3v3h-3zM13.5 3.5h3v3h-3zM3.5 8.5h3v3h-3zM8.5 8.5h3v3h-3zM13.5 8.5h3v3h-3zM3.5 13.5h3v3h-3zM8.5 13.5h3v3h-3zM13.5 13.5h3v3h-3z" stroke-width="1.2" />`),help:$(k`<circle cx="10" cy="10" r="6.5" /><path d="M8 8.2c0-2.7 4.2-2.5 4.2 0 0 1.6-2.2 1.7-2.2 3.3M10 14h.01" />`),invert:$(k`<circle cx="10" cy="10" r="6.5" /><path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />`),keep:$(k`<rect x="4.5" y="9" width="11" height="7.5" rx="1" /><path d="M6.5 9V7a3.5 3.5 0 0 1 7 0v2" />`),larger:$(k`<path d="M11.5 3.5h5v5M16.5 3.5l-6 6M8.5 16.5h-5v-5M3.5 16.5l6-6" />`),less:$(k`<path d="M4 10h12" />`),moon:$(k`<path d="M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8z" />`),pause:$(k`<path d="M7 4.5v11M13 4.5v11" stroke-width="2" />`),play:$(k`<path d="M6.5 4v12l9-6z" />`),redo:$(k`<path d="M16.5 7.5H8a4 4 0 0 0 0 8h4M13.5 4.5l3 3-3 3" />`),search:$(k`<circle cx="8.5" cy="8.5" r="5" /><path d="m12.5 12.5 4 4" />`),sliders:$(k`<path d="M3.5 6h7M14.5 6h2M3.5 14h2M9.5 14h7" /><circle cx="12.5" cy="6" r="2" /><circle cx="7.5" cy="14" r="2" />`),split:$(k`<rect x="3.5" y="4.5" width="13" height="11" /><path d="M10 2.5v15" /><path d="M3.5 4.5H10v11H3.5z" fill="currentColor" />`),star:$(k`<path d="m10 3 2.1 4.6 5 .5-3.8 3.3 1.1 4.9L10 13.7l-4.4 2.6 1.1-4.9L2.9 8.1l5-.5z" />`),starred:$(k`<path d="m10 3 2.1 4.6 5 .5-3.8 3.3 1.1 4.9L10 13.7l-4.4 2.6 1.1-4.9L2.9 8.1l5-.5z" fill="currentColor" />`),sun:$(k`<circle cx="10" cy="10" r="3.2" /><path d="M10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M4.7 15.3l1.4-1.4M13.9 6.1l1.4-1.4" />`),terminal:$(k`<rect x="2.5" y="3.5" width="15" height="13" rx="1" /><path d="m5.5 8 2.5 2-2.5 2M10 12.5h4" />`),trash:$(k`<path d="M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.8 11h8.4l.8-11M8.5 8.5v5M11.5 8.5v5" />`),undo:$(k`<path d="M3.5 7.5H12a4 4 0 0 1 0 8H8M6.5 4.5l-3 3 3 3" />`),upload:$(k`<path d="M10 13.5V4M6 7.5l4-4 4 4M3.5 16.5h13" />`),warning:$(k`<path d="M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.3h.01" />`)};export{j as A,Fe as C,Oe as D,De as E,a as F,_e as M,Ce as N,ke as O,o as P,Pe as S,U as T,Je as _,Ye as a,Le as b,Ue as c,ze as d,Ke as f,Xe as g,et as h,Ge as i,A as j,V as k,qe as l,We as m,q as n,Qe as o,J as p,Ze as r,He as s,tt as t,Be as u,Ve as v,Ne as w,G as x,$e as y};