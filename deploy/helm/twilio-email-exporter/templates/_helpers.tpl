{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of an object: the chart's, those of the dictionary `more`, and those of all objects. If a name repeats, the first counts. */}}
{{- define "exporter.labels" -}}
{{- $more := dict -}}
{{- $root := . -}}
{{- if hasKey . "root" -}}
{{- $root = .root -}}
{{- $more = .more -}}
{{- end -}}
{{- $own := fromYaml (include "exporter.ownLabels" $root) -}}
{{- toYaml (merge $own (deepCopy $more) (deepCopy $root.Values.commonLabels)) -}}
{{- end -}}

{{- define "exporter.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "exporter.secretName" -}}
{{- default (include "exporter.fullname" .) .Values.credentials.existingSecret -}}
{{- end -}}

{{- define "exporter.image" -}}
{{- $name := .Values.image.repository -}}
{{- with .Values.image.registry -}}{{- $name = printf "%s/%s" . $name -}}{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The variables that name the files of the credentials: the id's first, then the secret's. */}}
{{- define "exporter.credentialVariables" -}}
{{- $names := dict
      "apiKey" (list "TWILIO_API_KEY_FILE" "TWILIO_API_SECRET_FILE")
      "authToken" (list "TWILIO_ACCOUNT_SID_FILE" "TWILIO_AUTH_TOKEN_FILE")
      "oauth" (list "TWILIO_OAUTH_CLIENT_ID_FILE" "TWILIO_OAUTH_CLIENT_SECRET_FILE") -}}
{{- with get $names .Values.credentials.kind -}}
- name: {{ index . 0 }}
  value: /run/secrets/twilio-email/{{ $.Values.credentials.idKey }}
- name: {{ index . 1 }}
  value: /run/secrets/twilio-email/{{ $.Values.credentials.secretKey }}
{{- end -}}
{{- end -}}

{{- define "exporter.scheme" -}}
{{- if .Values.web.config.tls_server_config -}}https{{- else -}}http{{- end -}}
{{- end -}}

{{- define "exporter.webConfigFile" -}}
# Written by the chart from the value `web.config`.
{{ toYaml .Values.web.config }}
{{- end -}}

{{- define "exporter.configFile" -}}
# Written by the chart from the value `config`.
{{ toYaml .Values.config }}
{{- end -}}
