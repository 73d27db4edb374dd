// The account pages of an application: sign up, confirm, sign in, also by a provider, edit, linked accounts, sessions, sign out. No
// library, one file.

const server = new URLSearchParams(location.search).get('server') ?? 'http://localhost:4000'
const arrived = new URL(location.href)
const here = plain(arrived)

/** The page's own URL, without what it was called back with. */
function plain(url) {
  const own = new URL(url)
  own.hash = ''
  for (const name of ['code', 'state', 'error', 'error_description']) own.searchParams.delete(name)
  return own.href
}

// The access token lives in memory only. The refresh token survives a reload; a page that loads scripts of others should keep it
// in an HttpOnly cookie of its own back end instead.
let accessToken = null
const refreshToken = {
  read: () => localStorage.getItem('refreshToken'),
  keep: (token) => (token ? localStorage.setItem('refreshToken', token) : localStorage.removeItem('refreshToken')),
}

async function send(query, variables) {
  const headers = { 'Content-Type': 'application/json', ...(accessToken ? { Authorization: `Bearer ${accessToken}` } : {}) }
  const response = await fetch(`${server}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  return response.json()
}

/** Sends an operation; an access token that has ended is renewed once. */
async function ask(query, variables = {}) {
  let answer = await send(query, variables)
  if (answer.errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED') && (await renew()))
    answer = await send(query, variables)
  if (answer.errors) throw new Error(answer.errors[0].message)
  return answer.data
}

/** One renewal at a time, over all tabs: a refresh token is good for one. */
function renew() {
  return navigator.locks.request('refresh', async () => {
    accessToken = null
    if (!refreshToken.read()) return false
    const { data } = await send(
      `mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { tokens { accessToken refreshToken } errors { code } } }`,
      { token: refreshToken.read() },
    )
    if (!data) return false
    return signedIn(data.refreshSession.tokens)
  })
}

function signedIn(tokens) {
  accessToken = tokens?.accessToken ?? null
  refreshToken.keep(tokens?.refreshToken)
  return tokens !== null
}

const select = (selector) => document.querySelector(selector)
const notice = (text) => {
  select('#notice').textContent = text
}

/** Shows what is wrong beside the field it is about, and says whether nothing was. */
function succeeded(form, errors) {
  for (const problem of form.querySelectorAll('.problem')) problem.remove()
  for (const { message, path } of errors) {
    const field = form.elements.namedItem(path.at(-1) ?? '') ?? form.querySelector('button')
    field.insertAdjacentHTML('afterend', '<span class="problem" role="alert"></span>')
    field.nextElementSibling.textContent = message
  }
  return errors.length === 0
}

/** Calls a function with the form and its values when it is sent. */
function onSubmit(selector, act) {
  select(selector).addEventListener('submit', async (event) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.target, event.submitter))
    notice('')
    await act(event.target, values).catch((error) => notice(error.message))
  })
}

onSubmit('#sign-up', async (form, { name, email, password }) => {
  const { signUp } = await ask(
    `mutation ($input: SignUpInput!) { signUp(input: $input) { tokens { accessToken refreshToken } errors { message path } } }`,
    { input: { email, password, redirectTo: here, ...(name ? { profile: { name } } : {}) } },
  )
  if (!succeeded(form, signUp.errors)) return
  form.reset()
  if (signUp.tokens) await show(signedIn(signUp.tokens))
  else notice(`We have sent a mail to ${email}. Open the link in it.`)
})

onSubmit('#sign-in', async (form, input) => {
  const { signIn } = await ask(
    `mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken refreshToken } errors { message path } } }`,
    { input },
  )
  if (!succeeded(form, signIn.errors)) return
  form.reset()
  await show(signedIn(signIn.tokens))
})

onSubmit('#link', async (form, { email, act }) => {
  const type = act === 'requestSignIn' ? 'RequestSignInInput' : 'RequestPasswordResetInput'
  const answer = await ask(`mutation ($input: ${type}!) { ${act}(input: $input) { errors { message path } } }`, {
    input: { email, redirectTo: here },
  })
  if (succeeded(form, answer[act].errors)) notice(`If ${email} is registered, a mail is on its way.`)
})

onSubmit('#account', async (form, { name, theme }) => {
  const { updateUser } = await ask(`mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { message path } } }`, {
    input: { profile: { name: name || null }, userMetadata: { theme: theme || null } },
  })
  if (succeeded(form, updateUser.errors)) notice('Saved.')
})

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** Goes to a provider. What comes back is of use only to who has the verifier, and that never leaves this tab (PKCE). */
async function goTo(connection, intent) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
  sessionStorage.setItem('on the way', JSON.stringify({ verifier, intent }))
  const parameters = { connection, redirect_to: here, code_challenge: challenge, code_challenge_method: 'S256' }
  location.assign(`${server}/auth/authorize?${new URLSearchParams({ ...parameters, ...(intent ? { intent } : {}) })}`)
}

/** Comes back from a provider: the code is traded for a session, or links the account there to who is signed in here. */
async function comeBack(code) {
  const { verifier, intent } = JSON.parse(sessionStorage.getItem('on the way') ?? '{}')
  sessionStorage.removeItem('on the way')
  const input = { code, codeVerifier: verifier ?? '' }
  if (intent === 'link') {
    const isSignedIn = await renew()
    const { linkIdentity } = await ask(
      `mutation ($input: LinkIdentityInput!) { linkIdentity(input: $input) { errors { message code } } }`,
      {
        input,
      },
    )
    notice(problemOf(linkIdentity.errors) ?? 'Linked.')
    return show(isSignedIn)
  }
  const { exchangeCode } = await ask(
    `mutation ($input: ExchangeCodeInput!) { exchangeCode(input: $input) { tokens { accessToken refreshToken } errors { message } } }`,
    { input },
  )
  notice(problemOf(exchangeCode.errors) ?? '')
  return show(signedIn(exchangeCode.tokens))
}

function problemOf([error]) {
  if (error?.code === 'REAUTHENTICATION_REQUIRED') return 'You signed in more than 5 minutes ago. Sign in once more, and do it then.'
  return error?.message
}

let connections = []

function buttons(names, intent) {
  return connections
    .filter(({ key }) => names(key))
    .map(({ key, displayName }) => {
      const button = document.createElement('button')
      Object.assign(button, {
        type: 'button',
        textContent: intent ? `Link ${displayName}` : `Sign in with ${displayName}`,
        className: 'quiet',
      })
      button.addEventListener('click', () => goTo(key, intent))
      return button
    })
}

select('#identities').addEventListener('click', async ({ target: { dataset } }) => {
  if (!dataset.id) return
  const { unlinkIdentity } = await ask(`mutation ($id: ID!) { unlinkIdentity(input: { id: $id }) { errors { message code } } }`, {
    id: dataset.id,
  })
  notice(problemOf(unlinkIdentity.errors) ?? 'Unlinked.')
  await show(await renew())
})

select('#sign-out').addEventListener('click', async ({ target: { dataset } }) => {
  if (!dataset.scope) return
  await ask(`mutation ($scope: SignOutScope!) { signOut(input: { scope: $scope }) { errors { message } } }`, { scope: dataset.scope })
  if (dataset.scope !== 'OTHERS') signedIn(null)
  await show(dataset.scope === 'OTHERS')
})

select('#sessions').addEventListener('click', async ({ target: { dataset } }) => {
  if (!dataset.id) return
  await ask(`mutation ($id: ID!) { revokeSession(input: { id: $id }) { errors { message } } }`, { id: dataset.id })
  await show(true)
})

async function show(isSignedIn) {
  const me = isSignedIn
    ? (
        await ask(
          `{ me { email username profile { name } userMetadata identities { id provider email } sessions(first: 20) { nodes { id device ip lastUsedAt current } } } }`,
        )
      ).me
    : null
  select('#signed-in').hidden = me === null
  select('#signed-out').hidden = me !== null
  if (me === null) return
  select('#who').textContent = me.email ?? me.username
  const { name, theme } = select('#account').elements
  name.value = me.profile.name ?? ''
  theme.value = me.userMetadata.theme ?? ''
  select('#sessions').replaceChildren(...me.sessions.nodes.map(sessionItem))
  select('#identities').replaceChildren(...me.identities.map(identityItem))
  select('#link-with').replaceChildren(...buttons((key) => !me.identities.some(({ provider }) => provider === key), 'link'))
}

function identityItem({ id, provider, email }) {
  const item = document.createElement('li')
  const text = item.appendChild(document.createElement('span'))
  text.textContent = connections.find(({ key }) => key === provider)?.displayName ?? provider
  if (email) text.appendChild(document.createElement('small')).textContent = email
  const button = item.appendChild(document.createElement('button'))
  Object.assign(button, { textContent: 'Unlink', className: 'quiet' })
  button.dataset.id = id
  return item
}

function sessionItem({ id, device, ip, lastUsedAt, current }) {
  const item = document.createElement('li')
  const text = item.appendChild(document.createElement('span'))
  text.textContent = device ?? 'Unknown device'
  text.appendChild(document.createElement('small')).textContent = `${ip ?? 'unknown address'}, ${new Date(lastUsedAt).toLocaleString()}`
  if (current) item.append('this one')
  else {
    const button = item.appendChild(document.createElement('button'))
    Object.assign(button, { textContent: 'End', className: 'quiet' })
    button.dataset.id = id
  }
  return item
}

/** A link from a mail comes back with the tokens behind the #, which no server and no log gets to see; a provider, with a code. */
async function begin() {
  history.replaceState(null, '', here)
  const { serverInfo } = await ask(`{ serverInfo { signIn { signUp connections { key displayName } } } }`)
  connections = serverInfo.signIn.connections
  select('#sign-up').hidden = !serverInfo.signIn.signUp
  select('#providers').hidden = connections.length === 0
  select('#sign-in-with').replaceChildren(...buttons(() => true))
  const fragment = new URLSearchParams(arrived.hash.slice(1))
  if (fragment.has('access_token'))
    return show(signedIn({ accessToken: fragment.get('access_token'), refreshToken: fragment.get('refresh_token') }))
  if (arrived.searchParams.has('code')) return comeBack(arrived.searchParams.get('code'))
  notice(arrived.searchParams.get('error_description') ?? '')
  return show(await renew())
}

await begin().catch((error) => notice(`${error.message} Is Roster running at ${server}?`))
