metadata description = 'Who may do what with which container: all assignments of the account, one after the other.'

param accountName string
param database string
param appenderRoleId string

@description('Each: principalId and, as services.json has it, access: append and write list containers; * is all.')
param grants array

@description('A person who may do everything with the data; empty: nobody.')
param developerId string

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: accountName
}

var reader = '${account.id}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000001'
var contributor = '${account.id}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002'

var developer = { principalId: developerId, access: { append: [], write: ['*'] } }
var everybody = empty(developerId) ? grants : concat(grants, [developer])

// Everybody reads: at the account, because the change feed and the SDK's first call read metadata above the containers.
var reads = map(everybody, g => { principalId: g.principalId, role: reader, container: '*' })
var appends = flatten(map(everybody, g => map(g.access.append, c => {
  principalId: g.principalId
  role: appenderRoleId
  container: c
})))
var writes = flatten(map(everybody, g => map(g.access.write, c => {
  principalId: g.principalId
  role: contributor
  container: c
})))

// The account takes one change of its access at a time and refuses a second one meanwhile.
@batchSize(1)
resource assignments 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for grant in concat(reads, appends, writes): {
    parent: account
    name: guid(account.id, grant.principalId, grant.role, grant.container)
    properties: {
      principalId: grant.principalId
      roleDefinitionId: grant.role
      scope: grant.container == '*' ? account.id : '${account.id}/dbs/${database}/colls/${grant.container}'
    }
  }
]
