metadata description = 'One function app on its own Flex Consumption plan: all of them run the same package.'

param name string
param planName string
param location string
param tags object

@description('The name of the service in azure.yaml whose package this app runs.')
param serviceName string
param identityId string
param identityClientId string

@description('As services.json has it: instanceMemoryMB, maximumInstanceCount and alwaysReady.')
param scale object
param zoneRedundant bool

@description('Keep the always-ready instances of the scale settings warm; they cost money by the hour.')
param warm bool

@description('The functions of the package that run elsewhere.')
param disabledFunctions array

@description('Empty without private networking.')
param subnetId string
param packageUrl string
param blobEndpoint string

@description('The account of archives and claims, which all services share.')
param sharedBlobEndpoint string
param cosmosEndpoint string
param serviceBusHost string
param eventHubsHost string
param keyUri string
param insightsConnectionString string

@description('Where traces and metrics go by OTLP as well; empty: nowhere else.')
param otlpEndpoint string = ''

param taskHubName string

@allowed(['scheduler', 'storage'])
param durableBackend string

@description('Read by the scheduler back end.')
param schedulerEndpoint string

@description('Read by the storage back end: the endpoints of the account that all task hub users share.')
param durableStorage object

var settings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  Approval__aboveMinorUnits: '10000000'
  Approval__withinHours: '72'
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  Blobs__blobServiceUri: sharedBlobEndpoint
  Blobs__clientId: identityClientId
  Blobs__credential: 'managedidentity'
  Cosmos__accountEndpoint: cosmosEndpoint
  Cosmos__clientId: identityClientId
  Cosmos__credential: 'managedidentity'
  EventHubs__clientId: identityClientId
  EventHubs__credential: 'managedidentity'
  EventHubs__fullyQualifiedNamespace: eventHubsHost
  KeyVault__keyUri: keyUri
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint
  Sagas__retentionDays: '30'
  ServiceBus__clientId: identityClientId
  ServiceBus__credential: 'managedidentity'
  ServiceBus__fullyQualifiedNamespace: serviceBusHost
  TASKHUB_NAME: taskHubName
}

var byIdentity = 'Authentication=ManagedIdentity;ClientID=${identityClientId}'
var schedulerSettings = {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};${byIdentity}'
}

// host.json names the scheduler; these override it. Both spellings of the connection's name are read, and must agree.
var storageSettings = {
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionName: 'DurableStorage'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DurableStorage'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'AzureStorage'
  DurableStorage__blobServiceUri: durableStorage.blob
  DurableStorage__clientId: identityClientId
  DurableStorage__credential: 'managedidentity'
  DurableStorage__queueServiceUri: durableStorage.queue
  DurableStorage__tableServiceUri: durableStorage.table
}

var durableSettings = durableBackend == 'scheduler' ? schedulerSettings : storageSettings
var disabled = toObject(disabledFunctions, f => 'AzureWebJobs.${f}.Disabled', f => 'true')

// One app a plan: that is how Flex Consumption works.
resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.instanceMemoryMB
        maximumInstanceCount: scale.maximumInstanceCount
        alwaysReady: warm ? scale.alwaysReady : []
      }
    }
  }

  // This replaces the whole set: what is not written here is not there.
  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, durableSettings, disabled)
  }

  resource noPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
