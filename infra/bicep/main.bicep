targetScope = 'subscription'

@description('Names the environment; part of the resource group\'s name and of what makes all other names unique.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region of everything but, where it is not offered there, the Durable Task Scheduler.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('The region of the Durable Task Scheduler; empty: that of everything else.')
param schedulerLocation string = ''

@description('development: serverless and shared; production: own capacity. To be chosen at the first deployment.')
@allowed(['development', 'production'])
param size string = 'development'

@description('Survive the loss of a zone: Cosmos DB, storage and apps. To be chosen at the first deployment.')
param zoneRedundant bool = false

@description('One function app a service, each with its own identity, keys and scale, instead of one for all of them.')
param servicesApart bool = false

@description('Reach data only through private endpoints. Raises Service Bus to Premium.')
param privateNetworking bool = false

@description('Where sagas keep their state: the Durable Task Scheduler or Azure Storage.')
@allowed(['scheduler', 'storage'])
param durableBackend string = 'scheduler'

@description('Who is told of alerts; empty: they are only shown in the portal.')
param alertEmail string = ''

@description('Where traces and metrics go by OTLP as well; empty: nowhere else.')
param otlpEndpoint string = ''

@description('Whoever deploys: in development they may use the data, so that code on their machine can.')
param principalId string = ''

@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string = 'User'

var prefix = loadJsonContent('abbreviations.json')
var definition = loadJsonContent('../topology/services.json')

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var production = size == 'production'
var developerId = production ? '' : principalId

// The services in the plural, or the one that does the work of all of them. Who works on the task hub keeps its state.
var services = servicesApart ? definition.services : [definition.together]
var serviceNames = map(services, service => service.name)
var hubWorker = indexOf(map(services, service => service.access.durableTask), 'worker')
var schedulerName = '${prefix.scheduler}${token}'
var taskHubName = 'orders'

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.documents.azure.com'
  'privatelink.servicebus.windows.net'
  'privatelink.vaultcore.azure.net'
]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${prefix.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module monitor 'modules/monitor.bicep' = {
  name: 'monitor'
  scope: group
  params: {
    workspaceName: '${prefix.logAnalytics}${token}'
    insightsName: '${prefix.applicationInsights}${token}'
    location: location
    tags: tags
    retentionDays: production ? 90 : 30
    dailyCapGb: production ? -1 : 2
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    name: '${prefix.cosmosAccount}${token}'
    location: location
    tags: tags
    serverless: !production
    zoneRedundant: zoneRedundant
    publicAccess: !privateNetworking
    backupTier: production ? 'Continuous30Days' : 'Continuous7Days'
    workspaceId: monitor.outputs.workspaceId
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    name: '${prefix.serviceBusNamespace}${token}'
    location: location
    tags: tags
    publicAccess: !privateNetworking
    sku: production || privateNetworking ? 'Premium' : 'Standard'
  }
}

module eventHubs 'modules/event-hubs.bicep' = {
  name: 'event-hubs'
  scope: group
  params: {
    name: '${prefix.eventHubsNamespace}${token}'
    location: location
    tags: tags
    publicAccess: !privateNetworking
    throughputUnits: production ? 2 : 1
    throughputUnitsMax: production ? 20 : 4
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: '${prefix.keyVault}${token}'
    location: location
    tags: tags
    publicAccess: !privateNetworking
    workspaceId: monitor.outputs.workspaceId
    purgeProtection: production
  }
}

module durableTask 'modules/durable-task.bicep' = if (durableBackend == 'scheduler') {
  name: 'durable-task'
  scope: group
  params: {
    name: schedulerName
    hubName: taskHubName
    location: empty(schedulerLocation) ? location : schedulerLocation
    tags: tags
    sku: production ? 'Dedicated' : 'Consumption'
    capacity: zoneRedundant ? 3 : 1
  }
}

module identities 'modules/identity.bicep' = [
  for service in services: {
    name: 'identity-${service.name}'
    scope: group
    params: {
      name: '${prefix.managedIdentity}${service.name}-${token}'
      location: location
      tags: tags
    }
  }
]

module storage 'modules/storage.bicep' = [
  for service in services: {
    name: 'storage-${service.name}'
    scope: group
    params: {
      name: '${prefix.storageAccount}${take(service.name, 8)}${token}'
      location: location
      tags: tags
      zoneRedundant: zoneRedundant
      publicAccess: !privateNetworking
      packageContainer: 'app-package'
    }
  }
]

module access 'modules/access.bicep' = [
  for (service, i) in services: {
    name: 'access-${service.name}'
    scope: group
    params: {
      principalId: identities[i].outputs.principalId
      principalType: 'ServicePrincipal'
      access: service.access
      insightsName: monitor.outputs.insightsName
      serviceBusName: serviceBus.outputs.name
      eventHubsName: eventHubs.outputs.name
      vaultName: vault.outputs.name
      storageName: storage[i].outputs.name
      ownsStorage: true
      durableBackend: durableBackend
      schedulerName: durableBackend == 'scheduler' ? durableTask!.outputs.schedulerName : schedulerName
      taskHubName: durableBackend == 'scheduler' ? durableTask!.outputs.hubName : taskHubName
      durableStorageName: storage[hubWorker].outputs.name
    }
  }
]

module developerAccess 'modules/access.bicep' = if (!empty(developerId)) {
  name: 'access-developer'
  scope: group
  params: {
    principalId: developerId
    principalType: principalType
    access: definition.developer.access
    insightsName: monitor.outputs.insightsName
    serviceBusName: serviceBus.outputs.name
    eventHubsName: eventHubs.outputs.name
    vaultName: vault.outputs.name
    storageName: storage[hubWorker].outputs.name
    ownsStorage: false
    durableBackend: durableBackend
    schedulerName: durableBackend == 'scheduler' ? durableTask!.outputs.schedulerName : schedulerName
    taskHubName: durableBackend == 'scheduler' ? durableTask!.outputs.hubName : taskHubName
    durableStorageName: storage[hubWorker].outputs.name
  }
}

module blobs 'modules/blobs.bicep' = {
  name: 'blobs'
  scope: group
  params: {
    name: '${prefix.storageAccount}blobs${token}'
    location: location
    tags: tags
    zoneRedundant: zoneRedundant
    geoRedundant: production
    publicAccess: !privateNetworking
    grants: [
      for (service, i) in services: {
        principalId: identities[i].outputs.principalId
        access: service.access.blobs
      }
    ]
    developerId: developerId
    developerType: principalType
    developerAccess: definition.developer.access.blobs
  }
}

module cosmosAccess 'modules/cosmos-access.bicep' = {
  name: 'cosmos-access'
  scope: group
  params: {
    accountName: cosmos.outputs.name
    database: cosmos.outputs.database
    appenderRoleId: cosmos.outputs.appenderRoleId
    grants: [
      for (service, i) in services: {
        principalId: identities[i].outputs.principalId
        access: service.access.cosmos
      }
    ]
    developerId: developerId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    name: '${prefix.virtualNetwork}${token}'
    location: location
    tags: tags
    zones: zones
  }
}

module apps 'modules/function-app.bicep' = [
  for (service, i) in services: {
    name: 'app-${service.name}'
    scope: group
    params: {
      name: '${prefix.functionApp}${service.name}-${token}'
      planName: '${prefix.functionPlan}${service.name}-${token}'
      location: location
      tags: tags
      // The service every installation has in azure.yaml; the others are deployed only apart.
      serviceName: servicesApart ? service.name : 'command'
      identityId: identities[i].outputs.id
      identityClientId: identities[i].outputs.clientId
      scale: service.scale
      zoneRedundant: zoneRedundant
      warm: production
      disabledFunctions: servicesApart
        ? map(filter(items(definition.functions), entry => entry.value != service.name), entry => entry.key)
        : []
      subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
      packageUrl: storage[i].outputs.packageUrl
      blobEndpoint: storage[i].outputs.blobEndpoint
      sharedBlobEndpoint: blobs.outputs.endpoint
      cosmosEndpoint: cosmos.outputs.endpoint
      serviceBusHost: serviceBus.outputs.host
      eventHubsHost: eventHubs.outputs.host
      keyUri: vault.outputs.keyUri
      insightsConnectionString: monitor.outputs.connectionString
      otlpEndpoint: otlpEndpoint
      taskHubName: taskHubName
      durableBackend: durableBackend
      schedulerEndpoint: durableBackend == 'scheduler' ? durableTask!.outputs.endpoint : ''
      durableStorage: {
        blob: storage[hubWorker].outputs.blobEndpoint
        queue: storage[hubWorker].outputs.queueEndpoint
        table: storage[hubWorker].outputs.tableEndpoint
      }
    }
  }
]

module privateEndpoints 'modules/private-endpoints.bicep' = if (privateNetworking) {
  name: 'private-endpoints'
  scope: group
  params: {
    namePrefix: prefix.privateEndpoint
    token: token
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    zoneIds: network!.outputs.zoneIds
    cosmosId: cosmos.outputs.id
    serviceBusId: serviceBus.outputs.id
    eventHubsId: eventHubs.outputs.id
    vaultId: vault.outputs.id
    blobsId: blobs.outputs.id
    serviceNames: serviceNames
    storageIds: [for (service, i) in services: storage[i].outputs.id]
    taskHubStorageId: durableBackend == 'storage' ? storage[hubWorker].outputs.id : ''
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    namePrefix: '${environmentName}-'
    location: location
    tags: tags
    workspaceId: monitor.outputs.workspaceId
    cosmosId: cosmos.outputs.id
    serviceBusId: serviceBus.outputs.id
    email: alertEmail
    actionGroupName: '${prefix.actionGroup}${token}'
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    name: '${environmentName} orders'
    location: location
    tags: tags
    workspaceId: monitor.outputs.workspaceId
    cosmosId: cosmos.outputs.id
    serviceBusId: serviceBus.outputs.id
  }
}

var commandApp = servicesApart ? indexOf(serviceNames, 'command') : 0
var queryApp = servicesApart ? indexOf(serviceNames, 'query') : 0
var sagaApp = servicesApart ? indexOf(serviceNames, 'saga') : 0
var projectionApp = servicesApart ? indexOf(serviceNames, 'projection') : 0
var messagingApp = servicesApart ? indexOf(serviceNames, 'messaging') : 0

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_TENANT_ID string = tenant().tenantId
output BLOBS_ENDPOINT string = blobs.outputs.endpoint
output COSMOS_ENDPOINT string = cosmos.outputs.endpoint
output DURABLE_TASK_SCHEDULER_ENDPOINT string = durableBackend == 'scheduler' ? durableTask!.outputs.endpoint : ''
output EVENT_HUBS_NAMESPACE string = eventHubs.outputs.host
output KEY_VAULT_KEY_URI string = vault.outputs.keyUri
output SERVICE_BUS_NAMESPACE string = serviceBus.outputs.host
output SERVICE_COMMAND_NAME string = apps[commandApp].outputs.name
output SERVICE_COMMAND_URL string = apps[commandApp].outputs.url
output SERVICE_MESSAGING_NAME string = apps[messagingApp].outputs.name
output SERVICE_MESSAGING_URL string = apps[messagingApp].outputs.url
output SERVICE_PROJECTION_NAME string = apps[projectionApp].outputs.name
output SERVICE_PROJECTION_URL string = apps[projectionApp].outputs.url
output SERVICE_QUERY_NAME string = apps[queryApp].outputs.name
output SERVICE_QUERY_URL string = apps[queryApp].outputs.url
output SERVICE_SAGA_NAME string = apps[sagaApp].outputs.name
output SERVICE_SAGA_URL string = apps[sagaApp].outputs.url
output TASKHUB_NAME string = taskHubName
