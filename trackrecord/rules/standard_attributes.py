"""The attributes every contact and company has, as GET /data_attributes lists them beside those that were declared. Pure."""

from typing import NamedTuple


class StandardAttribute(NamedTuple):
    model: str  # "contact" or "company"
    full_name: str  # with a dot where it stands inside an object
    data_type: str  # one of attributes.DATA_TYPES
    api_writable: bool
    label: str
    description: str

    @property
    def name(self) -> str:
        return self.full_name.rpartition(".")[2]


# Source: API reference, the contact and company objects; labels and order are ours.
STANDARD = tuple(
    StandardAttribute(*row)
    for row in (
        # model, full name, type, writable, label, meaning
        ("contact", "id", "string", False, "ID", "The contact's own id, given by the server"),
        ("contact", "workspace_id", "string", False, "Workspace ID", "The workspace the contact belongs to"),
        ("contact", "external_id", "string", True, "User ID", "The id you know the user by"),
        ("contact", "role", "string", True, "Role", "Whether it is a user or a lead"),
        ("contact", "email", "string", True, "Email", "The address mail is sent to"),
        ("contact", "email_domain", "string", False, "Email domain", "What stands behind the @ of the address"),
        ("contact", "phone", "string", True, "Phone", "A phone number"),
        ("contact", "name", "string", True, "Name", "What the contact is called"),
        ("contact", "avatar", "string", True, "Avatar", "The address of a picture"),
        ("contact", "owner_id", "integer", True, "Owner", "The admin who looks after the contact"),
        ("contact", "has_hard_bounced", "boolean", False, "Has hard bounced", "Whether mail to the address came back for good"),
        ("contact", "marked_email_as_spam", "boolean", False, "Marked email as spam", "Whether mail from you was reported as spam"),
        ("contact", "unsubscribed_from_emails", "boolean", True, "Unsubscribed from emails", "Whether no more mail is wanted"),
        ("contact", "created_at", "date", False, "Created at", "When the contact was made"),
        ("contact", "updated_at", "date", False, "Updated at", "When the contact was last changed"),
        ("contact", "signed_up_at", "date", True, "Signed up", "When the user signed up with you"),
        ("contact", "last_seen_at", "date", True, "Last seen", "When the contact was last at your product"),
        ("contact", "last_replied_at", "date", False, "Last replied", "When the contact last answered a message"),
        ("contact", "last_contacted_at", "date", False, "Last contacted", "When the contact was last written to"),
        ("contact", "last_email_opened_at", "date", False, "Last opened email", "When the contact last opened mail from you"),
        ("contact", "last_email_clicked_at", "date", False, "Last clicked email", "When the contact last followed a link in mail"),
        ("contact", "language_override", "string", True, "Language override", "The language set for the contact"),
        ("contact", "browser", "string", False, "Browser", "The browser last used"),
        ("contact", "browser_version", "string", False, "Browser version", "Its version"),
        ("contact", "browser_language", "string", False, "Browser language", "The language it asks for"),
        ("contact", "os", "string", False, "OS", "The operating system last used"),
        ("contact", "location.country", "string", False, "Country", "Where the contact was last seen"),
        ("contact", "location.region", "string", False, "Region", "Where the contact was last seen"),
        ("contact", "location.city", "string", False, "City", "Where the contact was last seen"),
        ("contact", "android_app_name", "string", False, "Android app", "The Android app last used"),
        ("contact", "android_app_version", "string", False, "Android app version", "Its version"),
        ("contact", "android_device", "string", False, "Android device", "The Android device last used"),
        ("contact", "android_os_version", "string", False, "Android version", "The version of Android on it"),
        ("contact", "android_sdk_version", "string", False, "Android SDK version", "The version of the SDK in the app"),
        ("contact", "android_last_seen_at", "date", False, "Last seen on Android", "When the contact last used the Android app"),
        ("contact", "ios_app_name", "string", False, "iOS app", "The iOS app last used"),
        ("contact", "ios_app_version", "string", False, "iOS app version", "Its version"),
        ("contact", "ios_device", "string", False, "iOS device", "The iOS device last used"),
        ("contact", "ios_os_version", "string", False, "iOS version", "The version of iOS on it"),
        ("contact", "ios_sdk_version", "string", False, "iOS SDK version", "The version of the SDK in the app"),
        ("contact", "ios_last_seen_at", "date", False, "Last seen on iOS", "When the contact last used the iOS app"),
        ("contact", "utm_campaign", "string", False, "UTM campaign", "The campaign that brought the contact"),
        ("contact", "utm_content", "string", False, "UTM content", "The content that brought the contact"),
        ("contact", "utm_medium", "string", False, "UTM medium", "The medium that brought the contact"),
        ("contact", "utm_source", "string", False, "UTM source", "The source that brought the contact"),
        ("contact", "utm_term", "string", False, "UTM term", "The search term that brought the contact"),
        ("contact", "referrer", "string", False, "Referrer", "The page the contact came from"),
        ("company", "name", "string", True, "Company name", "What the company is called"),
        ("company", "company_id", "string", False, "Company ID", "The id you know the company by; set once, when it is made"),
        ("company", "last_request_at", "date", False, "Company last seen", "When anybody of the company was last at your product"),
        ("company", "remote_created_at", "date", True, "Company created at", "When you first knew the company"),
        ("company", "user_count", "integer", False, "People", "How many contacts are attached to the company"),
        ("company", "session_count", "integer", False, "Company web sessions", "How often its people came to your product"),
        ("company", "plan.id", "string", False, "Plan ID", "The plan's own id"),
        ("company", "plan.name", "string", False, "Plan", "What the company has signed up for"),
        ("company", "monthly_spend", "float", True, "Monthly Spend", "What the company pays in a month"),
        ("company", "size", "integer", True, "Company size", "How many people work there"),
        ("company", "industry", "string", True, "Company industry", "What the company does"),
        ("company", "website", "string", True, "Company website", "The address of its pages"),
        ("company", "id", "string", False, "ID", "The company's own id, given by the server"),
        ("company", "created_at", "date", False, "Created at", "When the company was made here"),
        ("company", "updated_at", "date", False, "Updated at", "When the company was last changed"),
        ("company", "app_id", "string", False, "App ID", "The workspace the company belongs to"),
    )
)
