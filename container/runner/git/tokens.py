"""Tokens that their services mark with a prefix, so that they are hardly ever anything else.

Each form is the one that the service documents, or that it gave to GitHub's secret scanning
(https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns).
"""

from __future__ import annotations

PREFIXED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("a GitLab token", ("glpat-",), r"glpat-[A-Za-z0-9_-]{20,300}+(?:\.[0-9a-z]{9}){0,2}"),
    (
        "a GitLab token",
        ("glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "gloas-", "glagent-", "glft-", "glimt-"),
        r"gl(?:ptt|dt|rt|cbt|soat|oas|agent|ft|imt)-[A-Za-z0-9_-]{20,300}",
    ),
    ("an npm token", ("npm_",), r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    ("a PyPI token", ("pypi-age",), r"pypi-AgE[A-Za-z0-9_-]{50,1000}"),
    ("a RubyGems token", ("rubygems_",), r"rubygems_[a-f0-9]{48}"),
    ("a crates.io token", ("cio",), r"(?<![A-Za-z0-9])cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    ("a Docker token", ("dckr_",), r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}"),
    (
        "an OpenAI key",
        ("t3blbkfj",),
        r"sk-(?:[A-Za-z0-9_]{1,20}-)?[A-Za-z0-9_-]{20,100}?T3BlbkFJ[A-Za-z0-9_-]{20,100}",
    ),
    ("a Google key", ("aiza",), r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("a Google key", ("gocspx-",), r"GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])"),
    ("a Google key", ("ya29.",), r"(?<![A-Za-z0-9_-])ya29\.[A-Za-z0-9_-]{40,}"),
    (
        "an Azure key",
        ("accountkey", "sharedaccesskey"),
        r"(?i:AccountKey|SharedAccessKey)=(?P<only>[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)",
    ),
    ("an Azure key", ("q~",), r"(?<![A-Za-z0-9_.~-])[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}"),
    ("a SendGrid key", ("sg.",), r"(?<![A-Za-z0-9_])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("a Hugging Face token", ("hf_",), r"(?<![A-Za-z0-9_])hf_[A-Za-z]{34}(?![A-Za-z0-9_])"),
    ("a DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{64}"),
    ("a Vault token", ("hvs.", "hvb.", "hvr."), r"(?<![A-Za-z0-9_])hv[sbr]\.[A-Za-z0-9_-]{24,400}"),
    ("a Terraform token", (".atlasv1.",), r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}"),
    ("a Shopify token", ("shpat_", "shpca_", "shppa_", "shpss_"), r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("a Square token", ("sq0atp-", "sq0csp-"), r"sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_\\-]{43})"),
    ("a Databricks token", ("dapi",), r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?![a-f0-9])"),
    ("an Atlassian token", ("atatt3xff", "atctt3xff"), r"AT[AC]TT3xFf[A-Za-z0-9_=-]{100,}"),
    (
        "a Grafana token",
        ("glsa_", "glc_"),
        r"gl(?:sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|c_eyJ[A-Za-z0-9+/]{60,400})",
    ),
    ("a Linear key", ("lin_api_",), r"lin_api_[A-Za-z0-9]{40}"),
    ("a Notion token", ("ntn_",), r"(?<![A-Za-z0-9_])ntn_[0-9]{11}[A-Za-z0-9]{35}"),
    ("a Postman key", ("pmak-",), r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("a Sentry token", ("sntrys_", "sntryu_"), r"sntry(?:u_[a-f0-9]{64}|s_eyJ[A-Za-z0-9+/=_]{60,500})"),
    ("a GitLab token", ("gr1348941",), r"GR1348941[A-Za-z0-9_-]{20,50}"),
    (
        "an npm token",
        ("_authtoken",),
        r"_authToken\s*=\s*[\"']?(?P<only>[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12})",
    ),
    ("a Mailchimp key", ("-us",), r"(?<![A-Za-z0-9])[0-9a-z]{32}-us[0-9]{1,2}(?![A-Za-z0-9])"),
    ("a Twilio key", ("sk",), r"(?<![A-Za-z0-9])SK[a-f0-9]{32}(?![A-Za-z0-9])"),
    (
        "a 1Password key",
        ("a3-", "ops_eyj"),
        r"A3(?:-[A-Z0-9]{6}){2}(?:-[A-Z0-9]{5}){4}|A3-[A-Z0-9]{6}-[A-Z0-9]{11}(?:-[A-Z0-9]{5}){3}|ops_eyJ[A-Za-z0-9+/]{250,}",
    ),
    (
        "a Doppler token",
        ("dp.",),
        r"(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}(?![A-Za-z0-9])",
    ),
    (
        "a Fly.io token",
        ("fo1_", "fm1a_", "fm1r_", "fm2_"),
        r"(?<![A-Za-z0-9])(?:fo1_[A-Za-z0-9_-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3})",
    ),
    ("a Heroku key", ("hrku-aa",), r"HRKU-AA[0-9a-zA-Z_-]{58}"),
    ("a PlanetScale token", ("pscale_",), r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_=.-]{32,64}"),
    ("a Pulumi token", ("pul-",), r"(?<![A-Za-z0-9-])pul-[a-f0-9]{40}(?![a-f0-9])"),
    ("a Perplexity key", ("pplx-",), r"(?<![A-Za-z0-9])pplx-[A-Za-z0-9]{48}"),
    ("a Brevo key", ("xkeysib-",), r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    ("a Sourcegraph token", ("sgp_",), r"(?<![A-Za-z0-9])sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}"),
    ("an Airtable token", ("pat",), r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("an Alibaba key", ("ltai",), r"(?<![A-Za-z0-9])LTAI[A-Za-z0-9]{20}(?![A-Za-z0-9])"),
    ("an OpenShift token", ("sha256~",), r"sha256~[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    ("a Dynatrace token", ("dt0c01.",), r"dt0c01\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"),
    ("a Hugging Face token", ("api_org_",), r"(?<![A-Za-z0-9_])api_org_[A-Za-z]{34}(?![A-Za-z0-9_])"),
    ("a Facebook token", ("eaam", "eaac"), r"(?<![A-Za-z0-9])EAA[MC][A-Za-z0-9]{100,}"),
    (
        "a Discord webhook",
        ("/api/webhooks/",),
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}",
    ),
    (
        "a Teams webhook",
        (".webhook.office.com",),
        r"[a-z0-9]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{60,250}",
    ),
    ("a Telegram token", (":aa",), r"(?<![0-9A-Za-z])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    ("a private key", ("age-secret-key-1",), r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
)
"""Kind, hints in small letters, and pattern, as `runner.git.leaks.Form` has them."""

SIGNS = (
    "gl(pat|ptt|dt|rt|cbt|soat|oas|agent|ft|imt)-|npm_|pypi-age|rubygems_|cio[a-z0-9]{32}|dckr_|t3blbkfj",
    "aiza|gocspx-|ya29[.]|(account|sharedaccess)key=|q~|sg[.][a-z0-9_-]{22}|hf_|do[opr]_v1_|hv[sbr][.]",
    "[.]atlasv1[.]|shp(at|ca|pa|ss)_|sq0|dapi[a-f0-9]{32}|at[ac]tt3xff|glsa_|glc_|lin_api_|ntn_[0-9]|pmak-",
    "sntry[su]_|[0-9]{8,10}:aa|age-secret-key-1|gr1348941|_authtoken|[0-9a-z]{32}-us[0-9]|sk[a-f0-9]{32}",
    "a3-[a-z0-9]{6}|ops_eyj|dp[.](pt|st|ct|sa|scim|audit)[.]|fo1_|fm1[ar]_|fm2_|hrku-aa|pscale_|pul-|pplx-",
    "xkeysib-|sgp_|pat[a-z0-9]{14}[.]|ltai|sha256~|dt0c01[.]|api_org_|eaa[mc]|/api/webhooks/|[.]webhook[.]office",
)
"""Extended regular expressions for `git grep -i`: a file in which none is found holds none of these."""
