{{/* Checks that values.schema.json cannot make with a clear message: which values exclude each other, and how a value is written. */}}
{{- define "exporter.check" -}}
{{- $v := .Values -}}
{{- if and $v.credentials.create $v.credentials.existingSecret -}}
{{- fail "credentials: `create` and `existingSecret` exclude each other. Remove one of them." -}}
{{- end -}}
{{- if and $v.credentials.values (not $v.credentials.create) -}}
{{- fail "credentials.values: the chart creates no Secret, so nothing uses them. Set credentials.create to true, or remove them." -}}
{{- end -}}
{{- if $v.credentials.create -}}
{{- if not $v.credentials.values -}}
{{- fail "credentials.values: the Secret would be empty. Add its keys, for example {id: SK…, secret: …}." -}}
{{- end -}}
{{- if ne $v.credentials.kind "files" -}}
{{- range list $v.credentials.idKey $v.credentials.secretKey -}}
{{- if not (get $v.credentials.values .) -}}
{{- fail (printf "credentials.values: the key `%s` is missing or empty. The exporter reads it; add it, or set credentials.idKey and credentials.secretKey to the keys that you have." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $v.config.accounts (ne $v.credentials.kind "files") -}}
{{- fail "config.accounts: with accounts in the configuration, the exporter reads no credentials from the environment. Set credentials.kind to `files`, and let each account name its files in /run/secrets/twilio-email." -}}
{{- end -}}
{{- if and (eq $v.credentials.kind "files") (not $v.config.accounts) -}}
{{- fail "credentials.kind: with `files`, accounts are in `config.accounts`, which is empty. Add accounts, or set credentials.kind to `apiKey`, `authToken` or `oauth`." -}}
{{- end -}}
{{- if hasKey $v.config "storage" -}}
{{- fail "config.storage: the chart sets --storage.path itself. Use `persistence`." -}}
{{- end -}}
{{- range $v.extraArgs -}}
{{- $name := index (splitList "=" .) 0 -}}
{{- if not (hasPrefix "--" .) -}}
{{- fail (printf "extraArgs: `%s` is not an option. Write each option and its value as one item, for example --series.max-operations=500." .) -}}
{{- end -}}
{{- $value := get (dict
      "--config.file" "config" "--storage.path" "persistence" "--web.listen-address" "service.port"
      "--web.telemetry-path" "web.telemetryPath" "--web.enable-api" "web.enableApi"
      "--web.enable-lifecycle" "web.enableLifecycle" "--log.level" "log.level" "--log.format" "log.format") $name -}}
{{- if $value -}}
{{- fail (printf "extraArgs: the chart sets %s itself. Use the value `%s`." $name $value) -}}
{{- end -}}
{{- end -}}
{{- if and $v.persistence.existingClaim (not $v.persistence.enabled) -}}
{{- fail "persistence.existingClaim: persistence is off, so nothing uses the claim. Set persistence.enabled to true, or remove it." -}}
{{- end -}}
{{- if not (regexMatch "^[0-9]+(\\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?$" (toString $v.persistence.size)) -}}
{{- fail (printf "persistence.size: `%s` is not a quantity. Write it as 1Gi or 500Mi." (toString $v.persistence.size)) -}}
{{- end -}}
{{- if and $v.image.digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $v.image.digest)) -}}
{{- fail (printf "image.digest: `%s` is not a digest. Write `sha256:` and 64 hexadecimal digits, or use image.tag." $v.image.digest) -}}
{{- end -}}
{{- range $name, $duration := dict
      "serviceMonitor.interval" $v.serviceMonitor.interval "serviceMonitor.scrapeTimeout" $v.serviceMonitor.scrapeTimeout
      "scrapeConfig.interval" $v.scrapeConfig.interval "scrapeConfig.refreshInterval" $v.scrapeConfig.refreshInterval -}}
{{- if not (regexMatch "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" $duration) -}}
{{- fail (printf "%s: `%s` is not a duration. Write it as 30s or 1m." $name $duration) -}}
{{- end -}}
{{- end -}}
{{- if gt (include "exporter.milliseconds" $v.serviceMonitor.scrapeTimeout | int) (include "exporter.milliseconds" $v.serviceMonitor.interval | int) -}}
{{- fail (printf "serviceMonitor.scrapeTimeout: %s is longer than the interval of %s. Prometheus refuses that; set it to at most the interval." $v.serviceMonitor.scrapeTimeout $v.serviceMonitor.interval) -}}
{{- end -}}
{{- if and $v.web.tlsSecret (not $v.web.config.tls_server_config) -}}
{{- fail "web.tlsSecret: nothing uses the certificates. Add tls_server_config to web.config, with cert_file: /etc/twilio-email-tls/tls.crt and key_file: /etc/twilio-email-tls/tls.key." -}}
{{- end -}}
{{- range $name := list "livenessProbe" "readinessProbe" "startupProbe" -}}
{{- if dig "httpGet" "" (get $v $name | default dict) -}}
{{- if and $v.web.config.basic_auth_users (not $v.web.config.health_without_auth) -}}
{{- fail (printf "%s: it has no password, and web.config has users. Add health_without_auth: true to web.config." $name) -}}
{{- end -}}
{{- if has (dig "tls_server_config" "client_auth_type" "" $v.web.config) (list "RequireAnyClientCert" "RequireAndVerifyClientCert") -}}
{{- fail (printf "%s: it has no client certificate, which web.config requires. Use VerifyClientCertIfGiven and users, or a probe without httpGet." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq (include "exporter.scheme" .) "http") (or $v.serviceMonitor.tlsConfig $v.scrapeConfig.tlsConfig) -}}
{{- fail "serviceMonitor.tlsConfig, scrapeConfig.tlsConfig: the exporter has no TLS. Add tls_server_config to web.config, or remove them." -}}
{{- end -}}
{{- $path := $v.web.telemetryPath -}}
{{- if not (regexMatch "^/[A-Za-z0-9._~/-]+$" $path) -}}
{{- fail (printf "web.telemetryPath: `%s` is not a path. Write it as /metrics." $path) -}}
{{- end -}}
{{- if hasSuffix "/" $v.prometheusRule.grafanaUrl -}}
{{- fail "prometheusRule.grafanaUrl: the address ends with `/`. Remove it; alerts append a path." -}}
{{- end -}}
{{- if not (regexMatch "^https?://" $v.prometheusRule.grafanaUrl) -}}
{{- fail (printf "prometheusRule.grafanaUrl: `%s` is not an address. Write it as https://grafana.example.com." $v.prometheusRule.grafanaUrl) -}}
{{- end -}}
{{- range $v.prometheusRule.exclude -}}
{{- if not ($.Files.Get (printf "files/rules/%s.yml" .)) -}}
{{- fail (printf "prometheusRule.exclude: there is no file of rules called `%s`. Write its name without `.yml`, for example twilio-email-objective." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A duration of Prometheus in milliseconds. */}}
{{- define "exporter.milliseconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|h|m|s)" . -1 -}}
{{- $factor := get (dict "h" 3600000 "m" 60000 "s" 1000 "ms" 1) (regexFind "[a-z]+" .) -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int) $factor) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
