type Example = Readonly<{ query: string; variables?: string }>

/** The operations that GraphiQL opens with, a tab each. */
export const graphiqlExamples: readonly Example[] = [
  {
    query: `# Roster: users, the identities they sign in with,
# their profile and their metadata.
# A token of an administrator has no user of its
# own: \`me\` is null.
query Welcome {
  me {
    id
    email
  }
  serverInfo {
    version
    limits {
      maxPageSize
      maxBodyBytes
    }
  }
}
`,
  },
  {
    query: `# \`search\` takes Lucene syntax: email:ada*,
# name:"Ada Lovelace", status:BLOCKED.
query ListUsers($search: String) {
  users(
    first: 20
    search: $search
    orderBy: [{ field: CREATED_AT, direction: DESC }]
  ) {
    totalCount
    nodes {
      id
      email
      status
      profile {
        name
      }
      identities {
        provider
      }
      userMetadata
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: variables({ search: 'status:ACTIVE' }),
  },
  {
    query: `mutation CreateUser($input: CreateUserInput!) {
  createUser(input: $input) {
    user {
      id
      email
      version
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: variables({
      input: {
        email: 'ada@example.com',
        emailVerified: true,
        profile: { name: 'Ada Lovelace', locale: 'en-GB' },
        userMetadata: { theme: 'dark' },
        appMetadata: { plan: 'pro' },
      },
    }),
  },
  {
    query: `# MERGE replaces the keys that are sent,
# and removes those that are null.
mutation UpdateMetadata($input: UpdateUserInput!) {
  updateUser(input: $input) {
    user {
      userMetadata
      appMetadata
      version
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: variables({
      input: { id: 'the id of a user', userMetadata: { theme: null, language: 'en' }, appMetadata: { plan: 'team' } },
    }),
  },
  {
    query: `# Run one of the two: blocking ends all sessions.
mutation Block($id: ID!) {
  blockUser(
    input: {
      id: $id
      duration: "P7D"
      reason: "Under review"
    }
  ) {
    user {
      status
      block {
        until
        reason
      }
    }
    errors {
      code
      message
      path
    }
  }
}

mutation Unblock($id: ID!) {
  unblockUser(input: { id: $id }) {
    user {
      status
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: variables({ id: 'the id of a user' }),
  },
  {
    query: `# Every change of a user is kept, field by field,
# with who made it.
query UserWithHistory($email: String!) {
  user(by: { email: $email }) {
    id
    email
    status
    history(first: 10) {
      nodes {
        type
        at
        actor {
          kind
          id
        }
        changes {
          path
          before
          after
        }
      }
    }
  }
}
`,
    variables: variables({ email: 'ada@example.com' }),
  },
]

function variables(value: object): string {
  return JSON.stringify(value, null, 2)
}
