import{A as e,D as t,M as n,P as r,S as i,T as a,t as o,w as s,x as c,y as l}from"./icons-DAycT_2b.js";var u=[`get`,`post`,`put`,`patch`,`delete`];function d(e){let t=new Map((e.tags??[]).map(({name:e,description:t=``})=>[e,{name:e,description:t,endpoints:[]}]));for(let[n,r]of Object.entries(e.paths)){let i=r.parameters??[];for(let a of u){let o=r[a];if(!o)continue;let s=o.tags?.[0]??c.docs.other,l=t.get(s)??{name:s,description:``,endpoints:[]};t.set(s,l);let u=[...i,...o.parameters??[]].map(t=>m(t,e)),d=`${a}-${n.replace(/[^a-z0-9]+/gi,`-`).replace(/^-|-$/g,``)}`;l.endpoints.push({method:a,path:n,operation:o,parameters:u,anchor:d})}}return[...t.values()].filter(({endpoints:e})=>e.length>0)}function f({path:e,operation:t}){return t.summary?.replace(/\.$/,``)??e}function p(e){return e.split(`/`).pop()??e}function m(e,{components:t}){return e.$ref?t?.parameters?.[p(e.$ref)]??e:e}function h(e,{components:t}){return e.$ref?t?.responses?.[p(e.$ref)]??e:e}function g({content:e}){return Object.entries(e??{}).map(([e,{schema:t}])=>({type:e,schema:t??null}))}function _(e){return e.$ref?p(e.$ref):null}function v(e){return e.const===void 0?e.enum?e.enum.map(e=>JSON.stringify(e)).join(` ${c.docs.or} `):(e.type===void 0?[]:[e.type].flat()).map(t=>t===`array`&&e.items?y(e.items):t).join(` ${c.docs.or} `)||(e.properties?`object`:c.docs.anything):JSON.stringify(e.const)}function y(e){return`${c.docs.listOf} ${_(e)??v(e)}`}function b(e){let{minimum:t,maximum:n,exclusiveMinimum:r,maxLength:i,pattern:a}=e,o=[],{limits:s}=c.docs;return t!==void 0&&n!==void 0?o.push(s.between(t,n)):t===void 0?n!==void 0&&o.push(s.most(n)):o.push(s.least(t)),r!==void 0&&o.push(s.above(r)),i!==void 0&&o.push(s.characters(i)),a!==void 0&&o.push(a),e.default!==void 0&&o.push(c.docs.standard(JSON.stringify(e.default))),o.join(`, `)}function x(e,t,n=0){let r=_(e);if(r){let e=t.components?.schemas?.[r];return e&&n<4?x(e,t,n+1):{}}if(e.examples?.length)return e.examples[0];if(e.default!==void 0)return e.default;if(e.const!==void 0)return e.const;if(e.enum)return e.enum[0];let[i]=e.oneOf??e.anyOf??[];if(i)return x(i,t,n);let[a]=[e.type].flat();if(a===`array`){let r=e.minItems??+(n<3);return Array.from({length:r},()=>x(e.items??{},t,n+1))}if(a===`object`||e.properties){let r=e.required??[],i=Object.entries(e.properties??{}).filter(([e])=>r.includes(e)||r.length===0);return Object.fromEntries(i.map(([e,r])=>[e,x(r,t,n+1)]))}return a===`integer`||a===`number`?e.minimum??1:a===`boolean`?!0:e.pattern?.includes(`{64}`)?`…`:`text`}var S={inputs:{content:{path:`photo.jpg`,sha256:`…`},styles:[{file:{path:`painting.jpg`,sha256:`…`}}]},options:{strength:50,size:512}};function C({method:e,path:t,operation:n,parameters:r},i){let a=t.replace(/\{(\w+)\}/g,(e,t)=>`$${t.toUpperCase()}`),o=r.filter(e=>e.in===`query`&&e.required).map(({name:e})=>`${e}=${e===`name`?`photo.jpg`:`…`}`).join(`&`),s=[`curl -H "Authorization: Bearer $TOKEN"`];e!==`get`&&s.push(`-X ${e.toUpperCase()}`);let[c]=g(n.requestBody??{});if(c&&c.type.includes(`json`)){let e=c.schema?w(c.schema,i):{};s.push(`-H "Content-Type: application/json"`,`-d '${JSON.stringify(e)}'`)}else c&&s.push(`--data-binary @photo.jpg`);return s.push(`"${location.origin}${a}${o?`?${o}`:``}"`),s.join(` \\
  `)}function w(e,t){if(_(e)===`Job`)return S;let n=x(e,t);return n&&typeof n==`object`&&`job`in n?{...n,job:S}:n}function T(t){return t?t.split(/\n\s*\n/).map(e=>n`<p>${E(e)}</p>`):[e]}function E(e){return e.split("`").map((e,t)=>t%2==1?n`<code>${e}</code>`:e)}var D=class extends t{static properties={schema:{attribute:!1}};render(){return this.#e(this.schema,!0)}#e(t,r){let i=_(t);if(i)return n`<p class="type">${O(i)}</p>`;let a=[t.type].flat().includes(`array`)?t.items:void 0;return n`
      ${r?T(t.description):e}
      ${t.properties&&r?e:this.#t(t)} ${this.#r(t)}
      ${a?.properties?this.#r(a):e} ${this.#i(t)}
    `}#t(t){let r=b(t);return n`<p class="type small">
      ${this.#n(t)}${r?n` <span class="muted">${r}</span>`:e}
    </p>`}#n(t){let r=_(t);if(r)return O(r);if(t.items&&(_(t.items)??t.items.oneOf))return n`<code>${c.docs.listOf}</code> ${this.#n(t.items)}`;let i=t.oneOf??t.anyOf;return i?n`${i.map((t,r)=>n`${r===0?e:n` <code>${c.docs.or}</code> `}${this.#n(t)}`)}`:n`<code>${v(t)}</code>`}#r({properties:t,required:r=[]}){return t?n`<dl>
      ${Object.entries(t).map(([t,i])=>n`<dt>
              <code>${t}</code>
              ${r.includes(t)?n`<span class="small muted">${c.docs.required}</span>`:e}
            </dt>
            <dd>${T(i.description)} ${this.#e(i,!1)}</dd>`)}
    </dl>`:e}#i({oneOf:t}){let r=t?.filter(e=>e.const!==void 0&&e.description)??[];return r.length===0?e:n`<dl>
      ${r.map(e=>n`<dt><code>${String(e.const)}</code></dt>
            <dd>${T(e.description)}</dd>`)}
    </dl>`}static styles=[i,r`
      dl {
        margin: 4px 0;
        border-left: 2px solid var(--line);
        padding-left: 12px;
      }

      dt {
        margin-top: 8px;
      }

      dt:first-child {
        margin-top: 0;
      }

      code {
        font-family: var(--mono);
        font-size: 0.8125rem;
        overflow-wrap: anywhere;
      }

      dt code {
        font-weight: 600;
      }
    `]};function O(e){return n`<a href="/docs#schema-${e}"><code>${e}</code></a>`}customElements.define(`schema-view`,D);var k=r`
  header {
    position: sticky;
    top: 0;
    z-index: 1;
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 52px;
    padding: 4px 8px 4px 16px;
    border-bottom: 1px solid var(--line);
    background: var(--panel);
  }

  header strong {
    font-size: 1.125rem;
    font-weight: 600;
  }

  .state {
    padding: 32px 16px;
  }

  .page {
    display: grid;
    grid-template-columns: 280px minmax(0, 1fr);
    max-width: 1200px;
    margin: 0 auto;
  }

  nav {
    position: sticky;
    top: 52px;
    align-self: start;
    max-height: calc(100dvh - 52px);
    overflow: auto;
    padding: 16px;
  }

  nav h2 {
    margin: 16px 0 4px;
  }

  summary {
    min-height: 28px;
    font-weight: 600;
    cursor: pointer;
  }

  h2::first-letter {
    text-transform: uppercase;
  }

  nav a {
    display: flex;
    gap: 8px;
    align-items: baseline;
    padding: 4px 0;
    color: var(--text);
    text-decoration: none;
  }

  nav a:hover {
    text-decoration: underline;
  }

  nav .method {
    width: 52px;
  }

  main {
    padding: 24px 16px 64px;
    border-left: 1px solid var(--line);
  }

  main > *,
  article > * {
    max-width: 760px;
  }

  h1 {
    margin-bottom: 12px;
    font-size: 1.5rem;
    line-height: 32px;
    font-weight: 600;
  }

  main p {
    margin-bottom: 8px;
  }

  main h2 {
    margin: 40px 0 8px;
    font-size: 1.25rem;
    line-height: 28px;
  }

  article {
    padding: 20px 0;
    border-top: 1px solid var(--line);
    scroll-margin-top: 52px;
  }

  main h3 {
    margin-bottom: 8px;
    font-size: 1rem;
  }

  h4 {
    margin: 16px 0 4px;
    font-size: var(--small);
    line-height: 16px;
    font-weight: 600;
    color: var(--muted);
  }

  .method {
    flex: none;
    font-family: var(--mono);
    font-size: var(--small);
    font-weight: 600;
    text-transform: uppercase;
    color: var(--accent);
  }

  .address {
    display: flex;
    align-items: center;
    gap: 12px;
    padding: 8px 12px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--field);
    overflow-wrap: anywhere;
  }

  dl {
    display: grid;
    grid-template-columns: minmax(96px, 200px) minmax(0, 1fr);
    gap: 8px 16px;
  }

  dd p,
  dd p:last-child {
    margin-bottom: 0;
  }

  code {
    font-family: var(--mono);
    font-size: 0.8125rem;
    overflow-wrap: anywhere;
  }

  pre {
    margin: 0;
    padding: 12px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--field);
    overflow-x: auto;
  }

  pre code {
    overflow-wrap: normal;
  }

  @media (max-width: 800px) {
    .page {
      grid-template-columns: minmax(0, 1fr);
    }

    nav {
      position: static;
      max-height: none;
      border-bottom: 1px solid var(--line);
    }

    main {
      border-left: 0;
    }

    dl {
      grid-template-columns: minmax(0, 1fr);
      gap: 0;
    }

    dt {
      margin-top: 8px;
    }
  }
`,A=window.matchMedia(`(max-width: 800px)`),j={system:o.auto,light:o.sun,dark:o.moon},M=class extends t{static properties={spec:{state:!0},error:{state:!0}};constructor(){super(),this.spec=null,this.error=null}stores(){return[a]}connectedCallback(){super.connectedCallback(),window.addEventListener(`hashchange`,this.#t),this.#e()}disconnectedCallback(){super.disconnectedCallback(),window.removeEventListener(`hashchange`,this.#t)}async#e(){try{let e=await fetch(l.openapi);if(e.status===401)throw Error(c.connection.denied);if(!e.ok)throw Error(c.connection.status(e.status));this.spec=await e.json(),await this.updateComplete,this.#t()}catch(e){this.error=c.docs.failed(e instanceof Error?e.message:String(e))}}#t=()=>{let e=decodeURIComponent(location.hash.slice(1));e&&this.renderRoot.querySelector(`#${CSS.escape(e)}`)?.scrollIntoView()};#n=e=>{let t=e.target.closest(`a`)?.getAttribute(`href`)??``;t.startsWith(`#`)&&(e.preventDefault(),history.pushState(null,``,t),this.#t())};render(){let{choice:t}=a.value;return n`
      <header>
        <div class="row">
          <strong>${c.program}</strong><span class="muted">${c.docs.title}</span>
        </div>
        <div class="row">
          <a class="button plain" href="/">${c.docs.back}</a>
          <button
            class="button plain icon"
            aria-label=${c.header.theme[t]}
            title=${c.header.theme[t]}
            @click=${s}
          >
            ${j[t]}
          </button>
        </div>
      </header>
      ${this.error?n`<p class="error state" role="alert">${o.warning}<span>${this.error}</span></p>`:e}
      ${this.spec?this.#r(this.spec):this.error?e:n`<p class="muted state">${c.docs.loading}</p>`}
    `}#r(t){let r=d(t),i=Object.entries(t.components?.schemas??{});return n`<div class="page" @click=${this.#n}>
      <nav aria-label=${c.docs.contents}>
        <details ?open=${!A.matches}>
          <summary>${c.docs.contents}</summary>
          ${this.#i(r,i.map(([e])=>e))}
        </details>
      </nav>
      <main>
        <h1>${t.info.title} <span class="muted number">${t.info.version}</span></h1>
        ${T(t.info.description)}
        <p><a href=${l.openapi}>${c.docs.spec}</a></p>
        ${r.map(e=>this.#o(e,t))}
        ${i.length>0?this.#a(i):e}
      </main>
    </div>`}#i(t,r){return n`${t.map(e=>n`<h2>${e.name}</h2>
          <ul>
            ${e.endpoints.map(e=>n`<li>
                  <a href="#${e.anchor}">
                    <span class="method">${e.method}</span>
                    <span class="grow">${f(e)}</span>
                  </a>
                </li>`)}
          </ul>`)}
    ${r.length>0?n`<h2>${c.docs.schemas}</h2>
            <ul>
              ${r.map(e=>n`<li>
                    <a href="#schema-${e}"><code>${e}</code></a>
                  </li>`)}
            </ul>`:e}`}#a(e){return n`<section>
      <h2>${c.docs.schemas}</h2>
      ${e.map(([e,t])=>n`<article id="schema-${e}">
            <h3><code>${e}</code></h3>
            <schema-view .schema=${t}></schema-view>
          </article>`)}
    </section>`}#o({name:e,description:t,endpoints:r},i){return n`<section>
      <h2>${e}</h2>
      ${T(t)} ${r.map(e=>this.#s(e,i))}
    </section>`}#s(t,r){let{method:i,path:a,operation:o,parameters:s,anchor:l}=t,{requestBody:u,responses:d={}}=o;return n`<article id=${l}>
      <h3>${f(t)}</h3>
      <p class="address"><span class="method">${i}</span><code>${a}</code></p>
      ${T(o.description)}
      ${s.length>0?n`<h4>${c.docs.parameters}</h4>
              <dl>${s.map(e=>this.#l(e))}</dl>`:e}
      ${u?n`<h4>${c.docs.body}</h4>
              ${T(u.description)}
              ${g(u).map(({type:t,schema:r})=>n`<p class="small muted"><code>${t}</code></p>
                    ${r?n`<schema-view .schema=${r}></schema-view>`:e}`)}`:e}
      <h4>${c.docs.responses}</h4>
      <dl>
        ${Object.entries(d).map(([e,t])=>{let i=h(t,r);return n`<dt><code>${e}</code></dt>
            <dd>
              ${T(i.description)}
              ${g(i).map(({type:e,schema:t})=>this.#c(e,t))}
            </dd>`})}
      </dl>
      <h4>${c.docs.example}</h4>
      <pre tabindex="0" aria-label=${c.docs.example}><code>${C(t,r)}</code></pre>
    </article>`}#c(e,t){let r=t&&_(t);return r?n`<p class="small">${O(r)}</p>`:t&&e.includes(`json`)?n`<schema-view .schema=${t}></schema-view>`:n`<p class="small muted"><code>${e}</code></p>`}#l({name:t,in:r,required:i,description:a,schema:o}){return n`<dt>
        <code>${t}</code>
        <span class="small muted">
          ${c.docs.places[r]??r}${i?`, ${c.docs.required}`:``}
        </span>
      </dt>
      <dd>
        ${T(a)}
        ${o?n`<schema-view .schema=${o}></schema-view>`:e}
      </dd>`}static styles=[i,k]};customElements.define(`studio-docs`,M);