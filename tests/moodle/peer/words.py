"""The few sentences of the site's pages, in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "login": "Log in",
        "logout": "Log out",
        "username": "Username",
        "password": "Password",
        "invalid": "Invalid login, please try again",
        "expired": "Your session has timed out. Please log in again.",
        "unconfirmed": "You need to confirm your account",
        "dashboard": "My courses",
        "notenrolled": "You cannot enrol yourself in this course.",
        "hidden": "This course is currently unavailable to students",
        "notice": "Notice",
        "nocourse": "Can't find data record in database.",
        "change": "You must change your password to proceed.",
        "newpassword": "New password",
        "again": "New password (again)",
        "save": "Save changes",
        "saved": "Your password has been changed",
        "differ": "These passwords do not match",
        "continue": "Continue",
        "policy": "Site policy agreement",
        "agree": "I have read and agree",
        "profile": "Edit profile",
        "required": "Required",
        "pages": "Contents",
        "notfound": "Not found",
    },
    "fr": {
        "login": "Connexion",
        "logout": "Déconnexion",
        "username": "Nom d’utilisateur",
        "password": "Mot de passe",
        "invalid": "Identifiants incorrects, veuillez essayer à nouveau",
        "expired": "Votre session a expiré. Veuillez vous reconnecter.",
        "unconfirmed": "Vous devez confirmer votre inscription",
        "dashboard": "Mes cours",
        "notenrolled": "Vous ne pouvez pas vous inscrire à ce cours.",
        "hidden": "Ce cours n’est pas disponible actuellement pour les étudiants",
        "notice": "Avis",
        "nocourse": "Impossible de trouver l’enregistrement dans la base de données.",
        "change": "Vous devez changer votre mot de passe pour continuer.",
        "newpassword": "Nouveau mot de passe",
        "again": "Nouveau mot de passe (encore)",
        "save": "Enregistrer",
        "saved": "Votre mot de passe a été modifié",
        "differ": "Ces mots de passe ne correspondent pas",
        "continue": "Continuer",
        "policy": "Politique du site",
        "agree": "J’ai lu et j’accepte",
        "profile": "Modifier le profil",
        "required": "Requis",
        "pages": "Contenu",
        "notfound": "Introuvable",
    },
}


def language_of(accepted: str) -> str:
    """The first of the two languages that a browser names; French when it names neither."""
    for part in accepted.lower().split(","):
        code = part.partition(";")[0].strip()[:2]
        if code in WORDS:
            return code
    return "fr"
