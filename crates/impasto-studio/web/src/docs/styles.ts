/** The look of the API reference. */

import { css } from "lit";

export const docsStyles = css`
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
`;
